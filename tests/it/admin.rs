//! What admins do with accounts: find, disable, give roles, end sessions, help back in; and what they can't do.

use std::time::Duration;

use coffer::accounts::people::{By, Change};
use coffer::identity::{RequestMeta, Role};
use coffer::tokens::NewToken;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::invites::invited_by;
use crate::support::actor::Actor;
use crate::support::app::{App, Engine, PASSWORD};
use crate::support::on_both_engines;

async fn id_of(app: &App, username: &str) -> Uuid {
    let person = app.coffer.people.by_username(username).await.expect("accounts");
    person.expect("somebody of this name").id
}

async fn page_of(app: &App, username: &str) -> String {
    format!("/admin/users/{}", id_of(app, username).await)
}

async fn api_of(app: &App, username: &str) -> String {
    format!("/api/v1{}", page_of(app, username).await)
}

/// The actions of the trail, the newest first.
async fn actions(admin: &Actor) -> Vec<String> {
    let page = admin.get("/api/v1/admin/audit").await.ok().json();
    let items = page["items"].as_array().expect("a list").clone();
    items.iter().map(|event| event["action"].as_str().expect("an action").to_owned()).collect()
}

on_both_engines!(admins_find_people_by_parts_of_their_names);
async fn admins_find_people_by_parts_of_their_names(app: App) {
    let admin = app.admin("root").await;
    for name in ["ada", "adam", "bob", "per-cent"] {
        app.has_account(name, Role::Member).await;
    }
    for (q, found) in [
        ("", vec!["ada", "adam", "bob", "per-cent", "root"]),
        ("ADA", vec!["ada", "adam"]),
        ("bob%40exam", vec!["bob"]),
        ("%25", vec![]),
        ("_", vec![]),
        ("%00", vec!["ada", "adam", "bob", "per-cent", "root"]),
        ("%5C", vec![]),
    ] {
        admin.get(&format!("/admin/users?q={q}")).await.ok();
        let list = admin.get(&format!("/api/v1/admin/users?q={q}")).await.ok().json();
        let names: Vec<_> =
            list["items"].as_array().expect("a list").iter().map(|user| user["username"].clone()).collect();
        assert_eq!(json!(names), json!(found), "{q}");
    }
    admin.get("/admin/users?q=ada").await.ok().has(".people a", "adam").lacks("bob@example.org");
    admin.get("/admin/users?q=zed").await.ok().has("h2", "No people found for “zed”");
}

on_both_engines!(everybody_is_on_exactly_one_page);
async fn everybody_is_on_exactly_one_page(app: App) {
    let admin = app.admin("root").await;
    for n in 0..5 {
        app.has_account(&format!("p{n}"), Role::Member).await;
    }
    let (mut names, mut query) = (Vec::new(), "?limit=4".to_owned());
    loop {
        let page = admin.get(&format!("/api/v1/admin/users{query}")).await.ok().json();
        names.extend(page["items"].as_array().expect("a list").iter().map(|user| user["username"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=4&cursor={cursor}");
    }
    assert_eq!(json!(names), json!(["p0", "p1", "p2", "p3", "p4", "root"]));
    let page = admin.get("/admin/users?limit=4").await.ok();
    let next = page.attributes("a[rel=next]", "href").remove(0);
    admin.get(&next).await.ok().has(".people a", "root");
    admin.get("/admin/users?limit=many").await.is(422);
    admin.get("/api/v1/admin/users?limit=201").await.invalid("limit");
    admin.get("/api/v1/admin/users?cursor=x").await.is(400).problem("bad_cursor");
}

on_both_engines!(a_disabled_account_is_out_at_once_and_comes_back_on_word);
async fn a_disabled_account_is_out_at_once_and_comes_back_on_word(app: App) {
    let admin = app.admin("root").await;
    let (ada, phone) = (app.signed_in("ada").await, app.another_browser_of("ada").await);
    let page = page_of(&app, "ada").await;
    admin.post_form(&format!("{page}/disable"), &[]).await.redirects_to(&page);
    assert!(!ada.is_signed_in().await && !phone.is_signed_in().await);
    let form = [("login", "ada"), ("password", PASSWORD)];
    ada.post_form("/login", &form).await.is(422).text_has("Wrong username or password");
    admin.get(&page).await.ok().has(".facts", "Disabled since").has("button", "Enable account");
    admin.get("/admin/users").await.ok().has(".badge", "disabled");
    admin.post_form(&format!("{page}/reset-link"), &[]).await.error_page(403);
    admin.post_form(&format!("{page}/enable"), &[]).await.redirects_to(&page);
    assert!(!ada.is_signed_in().await, "the old sessions stay over");
    ada.signs_in().await;
    assert_eq!(actions(&admin).await[1..4], ["user.enable", "login", "user.disable"]);
}

/// With copies of the sessions in Redis, which know their person.
#[tokio::test]
async fn what_an_admin_changes_holds_at_once_on_every_node() {
    let app = App::with_redis(Engine::Postgres).await;
    let node = app.another_node().await;
    let (admin, ada) = (app.admin("root").await, app.signed_in("ada").await);
    let elsewhere = ada.at(&node);
    let (page, api) = (page_of(&app, "ada").await, api_of(&app, "ada").await);
    elsewhere.get("/admin/users").await.error_page(404);
    admin.json(Method::PATCH, &api, json!({ "role": "admin" })).await.ok();
    elsewhere.get("/admin/users").await.ok();
    admin.json(Method::PATCH, &api, json!({ "role": "member" })).await.ok();
    elsewhere.get("/admin/users").await.error_page(404);
    admin.post_form(&format!("{page}/disable"), &[]).await.redirects_to(&page);
    assert!(!elsewhere.is_signed_in().await && !ada.is_signed_in().await);
}

on_both_engines!(a_disabled_accounts_tokens_rest);
async fn a_disabled_accounts_tokens_rest(app: App) {
    let admin = app.admin("root").await;
    app.has_account("ada", Role::Member).await;
    let viewer = app.viewer("ada").await;
    let new = NewToken { name: "a test".to_owned(), scopes: vec!["account:read".to_owned()], days: 90 };
    let owner = viewer.member().expect("an account");
    let token =
        app.coffer.tokens.make(owner, &new, None, &RequestMeta::default()).await.expect("a token").secret;
    let program = app.visitor();
    let me = async || program.get("/api/v1/me").header("authorization", format!("Bearer {token}")).await;
    me().await.ok();
    let page = page_of(&app, "ada").await;
    admin.post_form(&format!("{page}/disable"), &[]).await.redirects_to(&page);
    me().await.is(401);
    admin.post_form(&format!("{page}/enable"), &[]).await.redirects_to(&page);
    me().await.ok();
}

on_both_engines!(the_api_disables_and_gives_roles_too);
async fn the_api_disables_and_gives_roles_too(app: App) {
    let admin = app.admin("root").await;
    let ada = app.signed_in("ada").await;
    let api = api_of(&app, "ada").await;
    let user = admin.json(Method::PATCH, &api, json!({ "role": "admin" })).await.ok().json();
    assert_eq!((&user["role"], &user["disabled"]), (&json!("admin"), &json!(false)));
    ada.get("/admin/users").await.ok();
    let user =
        admin.json(Method::PATCH, &api, json!({ "role": "member", "disabled": true })).await.ok().json();
    assert_eq!((&user["role"], &user["disabled"]), (&json!("member"), &json!(true)));
    assert!(!ada.is_signed_in().await);
    admin.json(Method::PATCH, &api, json!({})).await.ok();
    for (wrong, field) in [
        (json!({ "role": "king" }), "role"),
        (json!({ "disabled": 1 }), "disabled"),
        (json!({ "email": "x@y.z" }), "email"),
    ] {
        assert_eq!(admin.json(Method::PATCH, &api, wrong.clone()).await.status(), 422, "{wrong} {field}");
    }
    let nobody = format!("/api/v1/admin/users/{}", Uuid::from_u128(7));
    admin.json(Method::PATCH, &nobody, json!({ "disabled": true })).await.is(404).problem("not_found");
    assert_eq!(actions(&admin).await[..3], ["user.disable", "user.role", "user.role"]);
}

on_both_engines!(the_last_admin_stays_one);
async fn the_last_admin_stays_one(app: App) {
    let admin = app.admin("root").await;
    let (page, api) = (page_of(&app, "root").await, api_of(&app, "root").await);
    for (path, form) in
        [(format!("{page}/disable"), vec![]), (format!("{page}/role"), vec![("role", "member")])]
    {
        admin.post_form(&path, &form).await.is(409).has(".notice.alarm", "last administrator");
    }
    for change in [
        json!({ "role": "member" }),
        json!({ "disabled": true }),
        json!({ "role": "member", "disabled": true }),
    ] {
        admin.json(Method::PATCH, &api, change).await.is(409).problem("last_admin");
    }
    assert!(admin.is_signed_in().await);
    assert_eq!(actions(&admin).await, ["login", "user.create"], "what was refused left nothing");
    app.has_account("second", Role::Admin).await;
    admin.post_form(&format!("{page}/role"), &[("role", "member")]).await.redirects_to(&page);
    admin.get(&page).await.error_page(404);
}

on_both_engines!(a_disabled_admin_does_not_count);
async fn a_disabled_admin_does_not_count(app: App) {
    let admin = app.admin("root").await;
    app.has_account("second", Role::Admin).await;
    let second = page_of(&app, "second").await;
    admin.post_form(&format!("{second}/disable"), &[]).await.redirects_to(&second);
    let own = page_of(&app, "root").await;
    admin.post_form(&format!("{own}/disable"), &[]).await.is(409);
    admin.post_form(&format!("{second}/role"), &[("role", "member")]).await.redirects_to(&second);
}

on_both_engines!(two_admins_who_demote_each_other_leave_one);
async fn two_admins_who_demote_each_other_leave_one(app: App) {
    for (name, change) in [("role", json!({ "role": "member" })), ("disabled", json!({ "disabled": true }))] {
        for round in 0..4 {
            let (left, right) = (format!("{name}-a{round}"), format!("{name}-b{round}"));
            let (a, b) = (app.admin(&left).await, app.admin(&right).await);
            leaves_only(&app, &[&left, &right]).await;
            let (of_a, of_b) = (api_of(&app, &left).await, api_of(&app, &right).await);
            let (one, other) =
                tokio::join!(async { a.json(Method::PATCH, &of_b, change.clone()).await.status() }, async {
                    b.json(Method::PATCH, &of_a, change.clone()).await.status()
                },);
            let mut answers = [one, other];
            answers.sort_unstable();
            assert!(answers[0] == 200 && [401, 404, 409].contains(&answers[1]), "{answers:?}");
            let all = app.coffer.people.all().await.expect("accounts");
            let admins =
                all.iter().filter(|person| person.role == Role::Admin && !person.is_disabled()).count();
            assert_eq!(admins, 1, "round {round}");
        }
    }
}

/// Only these are admins from now on.
async fn leaves_only(app: &App, names: &[&str]) {
    for person in app.coffer.people.all().await.expect("accounts") {
        if !names.contains(&person.username.as_str()) {
            let change = Change { role: Some(Role::Member), disabled: None };
            app.coffer
                .people
                .change(By::Operator, person.id, change, &RequestMeta::default())
                .await
                .expect("a member");
        }
    }
}

on_both_engines!(an_admin_ends_all_sessions_of_somebody);
async fn an_admin_ends_all_sessions_of_somebody(app: App) {
    let admin = app.admin("root").await;
    let (ada, bob) = (app.signed_in("ada").await, app.signed_in("bob").await);
    let page = page_of(&app, "ada").await;
    admin.post_form(&format!("{page}/end-sessions"), &[]).await.redirects_to(&page);
    admin
        .get(&page)
        .await
        .ok()
        .has(".toast", "Logged out everywhere")
        .has(".facts", "Not logged in anywhere");
    assert!(!ada.is_signed_in().await && bob.is_signed_in().await && admin.is_signed_in().await);
    ada.signs_in().await;
}

on_both_engines!(a_reset_link_is_shown_once);
async fn a_reset_link_is_shown_once(app: App) {
    let admin = app.admin("root").await;
    app.has_account("ada", Role::Member).await;
    let page = page_of(&app, "ada").await;
    admin.post_form(&format!("{page}/reset-link"), &[]).await.redirects_to(&page);
    let link = admin.get(&page).await.ok().attributes("#link", "value").remove(0);
    let (_, token) = link.split_once("/password/reset/").expect("a link to the form for a new password");
    assert_eq!(token.len(), 43);
    admin.get(&page).await.ok().has_no("#link").lacks(token);
    admin.get("/admin/audit").await.ok().has("td", "Created a password reset link").lacks(token);
}

on_both_engines!(a_reset_link_lets_its_person_in_again_once);
async fn a_reset_link_lets_its_person_in_again_once(app: App) {
    let admin = app.admin("root").await;
    let ada = app.signed_in("ada").await;
    let page = page_of(&app, "ada").await;
    let mut links = Vec::new();
    for _ in 0..2 {
        admin.post_form(&format!("{page}/reset-link"), &[]).await.redirects_to(&page);
        let link = admin.get(&page).await.ok().attributes("#link", "value").remove(0);
        links.push(link.replace(&app.coffer.deps.public_url.address(), ""));
    }
    let (earlier, link) = (&links[0], &links[1]);
    app.visitor().get(earlier).await.is(410).has("h1", "no longer works");
    let new = [("password", "a fresh horse battery")];
    app.visitor().post_form(link, &new).await.is(303);
    assert!(!ada.is_signed_in().await, "the old password's sessions are over");
    app.visitor().post_form(link, &new).await.is(410);
    let login = [("login", "ada"), ("password", "a fresh horse battery")];
    app.visitor().post_form("/login", &login).await.redirects_to("/resources");
}

on_both_engines!(a_reset_link_of_an_account_disabled_since_is_over);
async fn a_reset_link_of_an_account_disabled_since_is_over(app: App) {
    let admin = app.admin("root").await;
    app.has_account("ada", Role::Member).await;
    let page = page_of(&app, "ada").await;
    admin.post_form(&format!("{page}/reset-link"), &[]).await.redirects_to(&page);
    let link = admin.get(&page).await.ok().attributes("#link", "value").remove(0);
    admin.post_form(&format!("{page}/disable"), &[]).await.redirects_to(&page);
    app.visitor().get(&link.replace(&app.coffer.deps.public_url.address(), "")).await.is(410);
}

on_both_engines!(what_admins_change_asks_for_the_password_again);
async fn what_admins_change_asks_for_the_password_again(app: App) {
    let (admin, member) = (app.admin("root").await, app.signed_in("member").await);
    let (page, api) = (page_of(&app, "member").await, api_of(&app, "member").await);
    app.later(Duration::from_mins(11));
    for action in ["role", "disable", "enable", "end-sessions", "reset-link"] {
        let path = format!("{page}/{action}");
        admin.post_form(&path, &[("role", "admin")]).await.is(403).has("label", "Password");
        member.post_form(&path, &[("role", "admin")]).await.error_page(404);
    }
    for path in ["/admin/invites", "/admin/invites/withdraw"] {
        admin.post_form(path, &[]).await.is(403).has("label", "Password");
        member.post_form(path, &[]).await.error_page(404);
    }
    admin.json(Method::PATCH, &api, json!({ "disabled": true })).await.is(403).problem("sudo_required");
    assert!(member.is_signed_in().await);
    let given = [("sudo_password", PASSWORD)];
    admin.post_form(&format!("{page}/disable"), &given).await.redirects_to(&page);
    assert!(!member.is_signed_in().await);
}

on_both_engines!(what_is_shown_once_is_shown_to_its_maker_on_its_page_in_time);
async fn what_is_shown_once_is_shown_to_its_maker_on_its_page_in_time(app: App) {
    let (admin, other) = (app.admin("root").await, app.admin("other").await);
    app.has_account("ada", Role::Member).await;
    let page = page_of(&app, "ada").await;
    admin.post_form(&format!("{page}/reset-link"), &[]).await.redirects_to(&page);
    let sealed = admin.cookie("__Host-coffer-once").expect("what the browser keeps for the next page");
    admin.get("/admin/invites").await.ok().has_no("#link");
    admin.get(&page_of(&app, "root").await).await.ok().has_no("#link");
    other.sets_cookie("__Host-coffer-once", &sealed);
    other.get(&page).await.ok().has_no("#link");
    app.later(Duration::from_secs(61));
    admin.get(&page).await.ok().has_no("#link");
    admin.sets_cookie("__Host-coffer-once", "forged");
    admin.get(&page).await.ok().has_no("#link");
}

on_both_engines!(members_find_no_admin_pages);
async fn members_find_no_admin_pages(app: App) {
    app.admin("root").await;
    let member = app.signed_in("member").await;
    let page = page_of(&app, "root").await;
    for path in ["/admin/users", &page, "/admin/invites"] {
        member.get(path).await.error_page(404);
        assert_eq!(app.visitor().get(path).await.status(), 303, "{path}");
    }
    for action in ["role", "disable", "enable", "end-sessions", "reset-link"] {
        let path = format!("{page}/{action}");
        member.post_form(&path, &[("role", "member")]).await.error_page(404);
        app.visitor().post_form(&path, &[("role", "member")]).await.error_page(401);
    }
    member.post_form("/admin/invites/withdraw", &[("invite", "x")]).await.error_page(404);
    member.get("/api/v1/admin/users").await.is(404).problem("not_found");
    let change = member.json(Method::PATCH, &api_of(&app, "member").await, json!({ "role": "admin" }));
    change.await.is(404).problem("not_found");
    assert_eq!(member.get("/api/v1/me").await.ok().json()["role"], "member");
}

on_both_engines!(nobody_of_this_id_is_not_found);
async fn nobody_of_this_id_is_not_found(app: App) {
    let admin = app.admin("root").await;
    for id in [Uuid::from_u128(7).to_string(), "7".to_owned(), "%00".to_owned(), "a".repeat(5_000)] {
        admin.get(&format!("/admin/users/{id}")).await.error_page(404);
        for action in ["role", "disable", "enable", "end-sessions", "reset-link"] {
            let path = format!("/admin/users/{id}/{action}");
            admin.post_form(&path, &[("role", "member")]).await.error_page(404);
        }
    }
    let own = page_of(&app, "root").await;
    admin.post_form(&format!("{own}/role"), &[("role", "king")]).await.error_page(422);
    admin.post_form(&format!("{own}/role"), &[]).await.error_page(422);
}

on_both_engines!(an_admin_page_tells_who_was_invited_by_whom);
async fn an_admin_page_tells_who_was_invited_by_whom(app: App) {
    let (root, other) = (app.admin("root").await, app.admin("other").await);
    root.post_form("/admin/invites", &[]).await.redirects_to("/admin/invites");
    let shown = root.get("/admin/invites").await.ok().has(".events li", "Created by root");
    let link = shown.attributes("#link", "value").remove(0);
    root.get("/admin/invites").await.ok().has_no("#link");
    let name =
        other.get("/admin/invites").await.ok().has_no("#link").attributes("[name=invite]", "value").remove(0);
    assert!(!link.contains(&name));
    other.post_form("/admin/invites/withdraw", &[("invite", &name)]).await.redirects_to("/admin/invites");
    other.get("/admin/invites").await.ok().has(".toast", "withdrawn").has_no(".events li");
    let path = link.split_once("/invite/").map(|(_, token)| format!("/invite/{token}")).expect("a link");
    app.visitor().get(&path).await.error_page(410);
    other.post_form("/admin/invites/withdraw", &[("invite", &name)]).await.error_page(410);
    other.post_form("/admin/invites/withdraw", &[("invite", "ä/../%00")]).await.error_page(404);
    assert_eq!(actions(&root).await[..2], ["invite.withdraw", "invite.create"]);
}

/// The path of a link by which this person sets a new password.
async fn reset_link(app: &App, admin: &Actor, username: &str) -> String {
    let page = page_of(app, username).await;
    admin.post_form(&format!("{page}/reset-link"), &[]).await.redirects_to(&page);
    let link = admin.get(&page).await.ok().attributes("#link", "value").remove(0);
    link.replace(&app.coffer.deps.public_url.address(), "")
}

on_both_engines!(who_administers_no_more_lets_nobody_in);
async fn who_administers_no_more_lets_nobody_in(app: App) {
    let (root, eve) = (app.admin("root").await, app.admin("eve").await);
    app.has_account("ada", Role::Member).await;
    let kept = invited_by(&root).await;
    for way_out in ["role", "disable"] {
        let (invitation, reset) = (invited_by(&eve).await, reset_link(&app, &eve, "ada").await);
        let page = page_of(&app, "eve").await;
        root.post_form(&format!("{page}/{way_out}"), &[("role", "member")]).await.redirects_to(&page);
        app.visitor().get(&invitation).await.error_page(410);
        app.visitor().get(&reset).await.is(410);
        app.visitor().get(&kept).await.ok();
        root.post_form(&format!("{page}/role"), &[("role", "admin")]).await.redirects_to(&page);
    }
    let leaver = app.admin("leaver").await;
    let (invitation, reset) = (invited_by(&leaver).await, reset_link(&app, &leaver, "ada").await);
    leaver.post_form("/settings/data/delete", &[("username", "leaver")]).await.redirects_to("/login");
    app.visitor().get(&invitation).await.error_page(410);
    app.visitor().get(&reset).await.is(410);
}
