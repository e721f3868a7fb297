//! Every column of accounts and resources, offered as a field wherever an account or a resource is made or changed:
//! JSON refuses what it does not know by name, and forms leave it alone.

use std::collections::BTreeSet;

use coffer::identity::Role;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::{App, PASSWORD};
use crate::support::dump::{Dump, Row, columns};
use crate::support::on_both_engines;
use crate::support::owner::Owner;
use crate::support::site::{Route, unsafe_routes};

const FOREIGN_ID: &str = "0192f0c0-0000-7000-8000-0000000000ad";
const LONG_AGO: &str = "2001-01-01T00:00:00Z";

/// What a resource says; the rest of its row is coffer's own.
const CONTENT: [&str; 17] = [
    "title", "title_key", "fold_title", "fold_tags", "fold_body", "pairs", "summary", "body", "url",
    "url_key", "site", "visibility", "unread", "version", "updated_at", "search", "marks",
];

/// The columns of the account that a form is there to change.
fn of_account(route: &Route) -> &'static [&'static str] {
    match route.path.as_str() {
        "/settings/profile" => &["display_name", "updated_at"],
        "/settings/password" | "/password/reset/{token}" => &["password_hash", "auth_epoch", "updated_at"],
        "/verify-email/{token}" => &["email", "email_key", "verified_at", "factor_epoch", "updated_at"],
        "/settings/security/totp" | "/settings/security/totp/off" => {
            &["totp_secret", "totp_last_step", "factor_epoch", "updated_at"]
        }
        "/settings/security/recovery-codes" => &["factor_epoch"],
        "/admin/users/{id}/role" => &["role", "auth_epoch", "updated_at"],
        "/admin/users/{id}/disable" => &["disabled_at", "auth_epoch", "updated_at"],
        "/admin/users/{id}/end-sessions" => &["auth_epoch", "updated_at"],
        _ => &[],
    }
}

/// The columns of a resource that a form is there to change.
fn of_resource(route: &Route) -> &'static [&'static str] {
    match route.path.as_str() {
        "/resources/{id}" | "/resources/{id}/details" | "/resources/{id}/revisions/{version}/restore" => {
            &CONTENT
        }
        "/resources/{id}/pin" | "/resources/{id}/unpin" => {
            &["pinned", "version", "updated_at", "marks", "search"]
        }
        "/resources/{id}/unread" | "/resources/{id}/read" => {
            &["unread", "version", "updated_at", "marks", "search"]
        }
        "/resources/{id}/trash" | "/resources/{id}/restore" | "/trash/restore" => {
            &["trashed_at", "version", "updated_at", "marks", "search"]
        }
        _ => &[],
    }
}

async fn all_columns(app: &App) -> BTreeSet<String> {
    let schema = columns(&app.coffer.db).await;
    let columns: BTreeSet<_> =
        ["users", "resources"].iter().flat_map(|table| schema[*table].clone()).collect();
    for known in
        ["role", "owner_id", "id", "version", "created_at", "auth_epoch", "verified_at", "password_hash"]
    {
        assert!(columns.contains(known), "{known} in {columns:?}");
    }
    columns
}

/// A value that would do harm, or at least one that would show.
fn harm(column: &str) -> &'static str {
    match column {
        "role" => "admin",
        "title" | "body" | "display_name" | "summary" => "Taken",
        "url" => "https://taken.example/",
        "kind" => "note",
        "visibility" => "public",
        "pinned" => "true",
        "version" => "2", // The one that a form has to name, or nothing at all would be saved.
        "username" => "taken-name",
        "email" => "taken@example.org",
        "password_hash" => "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        id if id == "id" || id.ends_with("_id") => FOREIGN_ID,
        at if at.ends_with("_at") => LONG_AGO,
        _ => "424242",
    }
}

/// All of it, together with what the forms ask for.
async fn fields(app: &App) -> Vec<(String, String)> {
    let columns = all_columns(app).await.into_iter();
    let mut fields: Vec<_> = columns.map(|column| (column.clone(), harm(&column).to_owned())).collect();
    for (name, value) in
        [("password", PASSWORD), ("current_password", PASSWORD), ("login", "nobody"), ("tags", "taken")]
    {
        fields.push((name.to_owned(), value.to_owned()));
    }
    fields
}

async fn posts(actor: &Actor, path: &str, fields: &[(String, String)]) -> Answer {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if path == "/import" {
        let file = b"<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><DT><A HREF=\"https://in.example/\">In</A></DL>";
        return actor.uploads(path, "b.html", file, &fields).await;
    }
    actor.post_form(path, &fields).await
}

#[track_caller]
fn only(before: Option<&Row>, after: Option<&Row>, allowed: &[&str], what: &str) {
    let (Some(before), Some(after)) = (before, after) else {
        assert!(what.ends_with("/delete") || what.ends_with("/trash/empty"), "{what}: the row is gone");
        return;
    };
    let changed: Vec<_> = before
        .keys()
        .filter(|column| before[*column] != after[*column] && !allowed.contains(&column.as_str()))
        .collect();
    assert!(changed.is_empty(), "{what} changed {changed:?}\nbefore: {before:#?}\nafter: {after:#?}");
}

/// New resources are the sender's own, as new as they are.
#[track_caller]
fn made_here(before: &Dump, after: &Dump, owner: &str, what: &str) {
    for row in after.rows("resources").difference(before.rows("resources")) {
        let text = |column: &str| row[column].clone().unwrap_or_default();
        let mine = after.rows_of("resources", "owner_id", owner).contains(&row);
        assert!(
            mine && text("id") != FOREIGN_ID && !text("created_at").starts_with("2001"),
            "{what} made {row:?}"
        );
        if before.row("resources", &text("id")).is_none() {
            assert_eq!((text("version").as_str(), &row["trashed_at"]), ("1", &None), "{what} made {row:?}");
        }
    }
}

on_both_engines!(a_form_changes_what_it_shows_and_no_more, "--fetch=on");
async fn a_form_changes_what_it_shows_and_no_more(app: App) {
    let (admin, bystander) = (app.admin("root").await, Owner::new(&app, "bystander", Role::Member).await);
    let mut fields = fields(&app).await;
    fields.retain(|(name, _)| name != "owner_id");
    fields.push(("owner_id".to_owned(), bystander.id.clone()));
    let forms =
        unsafe_routes(&app).await.into_iter().filter(|route| !route.is_api() && route.path != "/register");
    for (turn, route) in forms.enumerate() {
        let owner = Owner::new(&app, &format!("owner-{turn}"), Role::Member).await;
        let before = Dump::of(&app.coffer.db).await;
        let sender = if route.is_for_admins() { &admin } else { &owner.actor };
        posts(sender, &owner.address(&route), &fields).await;
        let (after, what) = (Dump::of(&app.coffer.db).await, route.to_string());
        let row = |dump: &Dump, table: &str, id: &str| dump.row(table, id).cloned();
        let account = |dump| row(dump, "users", &owner.id);
        only(account(&before).as_ref(), account(&after).as_ref(), of_account(&route), &what);
        for id in [&owner.entry.id, &owner.trashed.id] {
            let resource = |dump| row(dump, "resources", id);
            only(resource(&before).as_ref(), resource(&after).as_ref(), of_resource(&route), &what);
        }
        only(before.row("users", &bystander.id), after.row("users", &bystander.id), &[], &what);
        let theirs = |dump: &Dump| {
            dump.rows_of("resources", "owner_id", &bystander.id).into_iter().cloned().collect::<Vec<_>>()
        };
        assert_eq!(theirs(&before), theirs(&after), "{what}");
        made_here(&before, &after, &owner.id, &what);
        assert!(!after.text().contains(harm("password_hash")), "{what}");
    }
}

async fn user_of(app: &App, username: &str) -> Row {
    let id = app.viewer(username).await.id().expect("an account").to_string();
    Dump::of(&app.coffer.db).await.row("users", &id).expect("a row").clone()
}

on_both_engines!(a_new_account_is_a_members_whatever_its_form_says, "--signup=open");
async fn a_new_account_is_a_members_whatever_its_form_says(app: App) {
    let admin = app.admin("root").await;
    admin.post_form("/admin/invites", &[]).await.redirects_to("/admin/invites");
    let link = admin.get("/admin/invites").await.ok().attributes("#link", "value").remove(0);
    let invitation = link.split_once("/invite/").expect("an invitation").1.to_owned();
    for (turn, path) in ["/register".to_owned(), format!("/invite/{invitation}")].iter().enumerate() {
        let mut fields = fields(&app).await;
        let (name, email) = (format!("new-{turn}"), format!("new-{turn}@example.org"));
        fields.retain(|(name, _)| name != "username" && name != "email");
        fields.extend([("username".to_owned(), name.clone()), ("email".to_owned(), email)]);
        posts(&app.visitor(), path, &fields).await.redirects_to("/resources");
        let made = user_of(&app, &name).await;
        let text = |column: &str| made[column].clone().unwrap_or_default();
        assert_eq!((text("role").as_str(), text("auth_epoch").as_str()), ("member", "0"), "{made:?}");
        for empty in ["verified_at", "disabled_at", "email_key", "totp_secret", "totp_last_step"] {
            assert_eq!(made[empty], None, "{empty} of {made:?}");
        }
        assert!(text("password_hash") != harm("password_hash") && text("id") != FOREIGN_ID);
        assert!(!text("created_at").starts_with("2001"), "{made:?}");
    }
}

on_both_engines!(a_mailed_link_changes_what_it_is_for);
async fn a_mailed_link_changes_what_it_is_for(app: App) {
    let ada = app.signed_in("ada").await;
    let fields = fields(&app).await;
    let form = [("email", "new@example.org"), ("current_password", PASSWORD)];
    ada.post_form("/settings/email", &form).await.redirects_to("/settings/profile");
    let confirm = app.letter_to("new@example.org", "Confirm").await.link(&app, "/verify-email/");
    let before = user_of(&app, "ada").await;
    posts(&ada, &confirm, &fields).await.redirects_to("/settings/profile");
    let confirmed = user_of(&app, "ada").await;
    only(
        Some(&before),
        Some(&confirmed),
        &["email", "email_key", "verified_at", "factor_epoch", "updated_at"],
        &confirm,
    );
    assert_eq!(confirmed["email"].as_deref(), Some("new@example.org"));
    app.visitor().post_form("/password/forgot", &[("email", "new@example.org")]).await.ok();
    let reset =
        app.letter_to("new@example.org", "Choose a new password").await.link(&app, "/password/reset/");
    posts(&app.visitor(), &reset, &fields).await.redirects_to("/login");
    only(
        Some(&confirmed),
        Some(&user_of(&app, "ada").await),
        &["password_hash", "auth_epoch", "updated_at"],
        &reset,
    );
}

/// The fields that a body may have, by the API's own description; `None` where it takes no body.
fn described(route: &Route) -> Option<Map<String, Value>> {
    let document = coffer::app::openapi("");
    let operation = &document["paths"][&route.path][route.method.as_str().to_lowercase()];
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    let name = schema.as_str()?.rsplit('/').next()?;
    Some(document["components"]["schemas"][name]["properties"].as_object().expect("fields").clone())
}

on_both_engines!(json_names_what_it_does_not_take, "--fetch=on");
async fn json_names_what_it_does_not_take(app: App) {
    let owner = Owner::new(&app, "owner", Role::Admin).await;
    app.all_is_sent().await;
    let before = Dump::of(&app.coffer.db).await;
    let mut bodies = 0;
    for route in unsafe_routes(&app).await.into_iter().filter(Route::is_api) {
        let Some(taken) = described(&route) else { continue };
        bodies += 1;
        for column in all_columns(&app).await.iter().filter(|column| !taken.contains_key(*column)) {
            let body = json!({ column: harm(column) });
            let ask = owner.actor.json(route.method.clone(), &owner.address(&route), body).if_match("*");
            ask.await.is(422).problem("invalid").text_has(&format!("`{column}`"));
        }
        for own in ["id", "owner_id", "created_at", "password_hash", "auth_epoch", "verified_at"] {
            // A new entry may be older than its place here.
            let is_dated = own == "created_at" && route.path.starts_with("/api/v1/resources");
            assert!(is_dated || !taken.contains_key(own), "{route} takes {own}");
        }
        assert!(!taken.contains_key("role") || route.is_for_admins(), "{route} takes a role");
    }
    assert!(bodies >= 3, "bodies of the API: {bodies}");
    Dump::of(&app.coffer.db).await.is(&before, "what was refused");
}

on_both_engines!(a_resource_is_made_as_its_description_says);
async fn a_resource_is_made_as_its_description_says(app: App) {
    let owner = app.signed_in("owner").await;
    for (field, value) in [("version", json!(9)), ("pinned_at", json!(1)), ("owner", json!("root"))] {
        let draft = json!({ "title": "Made", field: value });
        owner.json(Method::POST, "/api/v1/resources", draft).await.is(422).text_has(field);
    }
    let made = owner.saves(json!({ "title": "Made" })).await;
    let made = owner.get(&made.api()).await.ok().json();
    assert_eq!((&made["version"], &made["owner"]), (&json!(1), &json!("owner")));
}
