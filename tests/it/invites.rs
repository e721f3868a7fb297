//! Invitations: one link, one account.

use std::time::Duration;

use crate::support::actor::Actor;
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;

/// The path of a fresh invitation.
pub async fn invited_by(admin: &Actor) -> String {
    admin.post_form("/admin/invites", &[]).await.redirects_to("/admin/invites");
    let link = admin.get("/admin/invites").await.ok().attributes("#link", "value").remove(0);
    link.split_once("/invite/").map(|(_, token)| format!("/invite/{token}")).expect("a link to an invitation")
}

const BOB: [(&str, &str); 3] = [("email", "bob@example.org"), ("username", "bob"), ("password", PASSWORD)];

on_both_engines!(an_invitation_makes_one_account);
async fn an_invitation_makes_one_account(app: App) {
    let link = invited_by(&app.admin("root").await).await;
    let bob = app.visitor();
    bob.get(&link).await.ok().has("h1", "Create an account");
    bob.post_form(&link, &BOB).await.redirects_to("/resources");
    bob.get("/resources").await.ok().text_has("bob");
    bob.get("/admin/invites").await.error_page(404);
    let late = app.visitor();
    late.get(&link).await.error_page(410);
    late.post_form(&link, &[("email", "c@example.org"), ("username", "carol"), ("password", PASSWORD)])
        .await
        .error_page(410);
}

on_both_engines!(a_refused_form_does_not_use_the_invitation_up);
async fn a_refused_form_does_not_use_the_invitation_up(app: App) {
    let link = invited_by(&app.admin("root").await).await;
    let bob = app.visitor();
    let weak = [("email", "bob@example.org"), ("username", "bob"), ("password", "short")];
    bob.post_form(&link, &weak)
        .await
        .is(422)
        .has("#password-error", "12 characters")
        .holds("username", "bob");
    bob.post_form(&link, &BOB).await.redirects_to("/resources");
}

on_both_engines!(an_invitation_lasts_seven_days);
async fn an_invitation_lasts_seven_days(app: App) {
    let link = invited_by(&app.admin("root").await).await;
    app.later(Duration::from_hours(7 * 24 - 1));
    app.visitor().get(&link).await.ok();
    app.later(Duration::from_hours(1));
    app.visitor().get(&link).await.error_page(410);
}

on_both_engines!(only_admins_invite);
async fn only_admins_invite(app: App) {
    app.visitor().post_form("/admin/invites", &[]).await.error_page(401);
    let member = app.signed_in("member").await;
    member.get("/admin/invites").await.error_page(404);
    member.post_form("/admin/invites", &[]).await.error_page(404);
}

on_both_engines!(where_registration_is_closed_no_invitation_helps, "--signup=closed");
async fn where_registration_is_closed_no_invitation_helps(app: App) {
    let admin = app.admin("root").await;
    admin.get("/admin/invites").await.ok().text_has("Registration is closed");
    let link = invited_by(&admin).await;
    app.visitor().post_form(&link, &BOB).await.is(403).has("h1", "Registration is closed");
}
