//! Every address answers, as a page and as JSON, and nothing links to an address that doesn't.

use std::collections::{BTreeSet, VecDeque};

use coffer::identity::Role;
use reqwest::Method;
use serde_json::json;

use crate::support::actor::{Actor, route_of};
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;

/// More pages than this are no crawl but a loop.
const CRAWL_LIMIT: usize = 400;

on_both_engines!(a_saved_link_has_a_page_and_a_json_twin);
async fn a_saved_link_has_a_page_and_a_json_twin(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tide tables", "url": "https://tides.example/" })).await;
    owner.get(&entry.page()).await.ok().has("h1", "Tide tables");
    let twin = owner.get(&entry.api()).await.ok().json();
    assert_eq!((&twin["title"], &twin["owner"]), (&json!("Tide tables"), &json!("owner")));
}

on_both_engines!(a_visitor_finds_the_ways_in, "--signup=open");
async fn a_visitor_finds_the_ways_in(app: App) {
    let visitor = app.visitor();
    visitor.get("/").await.redirects_to("/login");
    visitor.get("/login").await.ok().has("h1", "Log in").has("a[href='/register']", "Create one");
    visitor.get("/register").await.ok().has("h1", "Create an account");
    visitor.get("/setup").await.is(410).has("h1", "no longer works");
    visitor.get("/resources").await.ok().has("h1", "Public library").text_has("Nothing is public here yet");
    visitor.get("/healthz").await.ok().text_has("ok");
    let ready = visitor.get("/readyz").await.ok().json();
    assert_eq!((&ready["ready"], &ready["dependencies"][0]["up"]), (&json!(true), &json!(true)));
}

on_both_engines!(what_needs_an_account_leads_through_the_login_and_back);
async fn what_needs_an_account_leads_through_the_login_and_back(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Mine", "visibility": "public" })).await;
    let visitor = app.visitor();
    for path in ["/resources/new?kind=note", "/trash", "/import", &format!("{}/edit", entry.page())] {
        let next = path.replace('/', "%2F").replace('?', "%3F").replace('=', "%3D").replace('-', "%2D");
        visitor.get(path).await.redirects_to(&format!("/login?next={next}"));
    }
}

on_both_engines!(the_first_pages_lead_on_where_nothing_is_kept);
async fn the_first_pages_lead_on_where_nothing_is_kept(app: App) {
    let owner = app.signed_in("owner").await;
    owner.get("/").await.ok().text_has("Your library is empty").has("a[href='/import']", "Import bookmarks");
    owner.get("/tags").await.ok().has("h2", "No tags yet");
    owner.get("/trash").await.ok().has("h2", "The trash is empty");
    owner.get("/login").await.redirects_to("/resources");
    owner.get("/register").await.redirects_to("/resources");
}

on_both_engines!(every_page_and_form_works_and_no_link_leads_elsewhere, "--fetch=on", "--signup=open");
async fn every_page_and_form_works_and_no_link_leads_elsewhere(app: App) {
    let owner = app.signed_in("owner").await;
    takes_the_tour(&owner).await;
    replays_a_delivery(&app, &owner).await;
    owner.sets_up_second_factor(&app).await;
    owner.post_form("/settings/security/recovery-codes", &[]).await.ok();
    owner.post_form("/settings/security/totp/off", &[]).await.redirects_to("/settings/security");
    owner.sets_up_second_factor(&app).await;
    let link =
        owner.saves(json!({ "title": "Left", "url": "https://left.example/", "tags": ["work/rust"] })).await;
    owner.saves(json!({ "title": "Pinned", "body": "# Text", "pinned": true })).await;
    let gone = owner.saves(json!({ "title": "Thrown away" })).await;
    owner.post_form(&format!("{}/trash", gone.page()), &[]).await.redirects_to("/resources");
    owner.json(Method::PATCH, &link.api(), json!({ "body": "more" })).if_match("*").await.ok();

    let reached = owner.reached();
    let (pages, forms) = crawl(&owner).await;
    assert!(pages.len() > 30, "a crawl of a whole site, not of {pages:?}");
    let forms: BTreeSet<_> = forms.iter().map(|path| format!("POST {}", route_of(path))).collect();
    // These end the session and the account; the tests of both send them.
    let ends = ["POST /logout", "POST /settings/data/delete"];
    let unknown: Vec<_> =
        forms.iter().filter(|form| !reached.contains(*form) && !ends.contains(&form.as_str())).collect();
    assert!(unknown.is_empty(), "forms that no test has sent: {unknown:?}");
    assert!(forms.len() >= 10, "all forms were met: {forms:?}");
    owner.post_form("/logout", &[]).await.redirects_to("/login");
}

on_both_engines!(no_link_that_a_visitor_is_shown_leads_nowhere);
async fn no_link_that_a_visitor_is_shown_leads_nowhere(app: App) {
    let owner = app.signed_in("owner").await;
    for number in 0..21 {
        owner.saves(json!({ "title": format!("Shown {number}"), "visibility": "public" })).await;
    }
    let (pages, _) = crawl(&app.visitor()).await;
    for page in ["/", "/feed.atom", "/u/owner", "/u/owner/feed.atom"] {
        assert!(pages.contains(page), "{page} is linked to: {pages:?}");
    }
    assert!(pages.iter().any(|page| page.starts_with("/u/owner?cursor=")), "a second page: {pages:?}");
}

on_both_engines!(every_page_and_form_for_admins_works, "--rate-limit-login-account=2 then 1h to 2h");
async fn every_page_and_form_for_admins_works(app: App) {
    let admin = app.admin("root").await;
    app.signed_in("ada").await;
    let ada = admin.get("/admin/users?q=ada").await.ok().attributes(".people a", "href").remove(0);
    admin.post_form("/admin/invites", &[]).await.redirects_to("/admin/invites");
    let invite = admin.get("/admin/invites").await.ok().attributes("[name=invite]", "value").remove(0);
    admin.post_form("/admin/invites/withdraw", &[("invite", &invite)]).await.redirects_to("/admin/invites");
    for (action, role) in [
        ("role", "admin"),
        ("role", "member"),
        ("end-sessions", ""),
        ("reset-link", ""),
        ("disable", ""),
        ("enable", ""),
    ] {
        admin.post_form(&format!("{ada}/{action}"), &[("role", role)]).await.redirects_to(&ada);
    }
    admin.post_form("/admin/invites", &[]).await.redirects_to("/admin/invites");
    app.has_account("bob", Role::Member).await;
    let bob = admin.get("/admin/users?q=bob").await.ok().attributes(".people a", "href").remove(0);
    admin.post_form(&format!("{bob}/disable"), &[]).await.redirects_to(&bob);

    while app.visitor().post_form("/login", &[("login", "bob"), ("password", "wrong")]).await.status() == 422
    {
    }
    let held = admin.get("/admin/limits").await.ok().attributes("[name=client]", "value").remove(0);
    admin.post_form("/admin/limits/release", &[("client", &held)]).await.redirects_to("/admin/limits");
    let person = bob.trim_start_matches("/admin/users/");
    admin.post_form("/admin/unlock", &[("person", person)]).await.redirects_to("/admin");
    while app.visitor().post_form("/login", &[("login", "bob"), ("password", "wrong")]).await.status() == 422
    {
    }

    let reached = admin.reached();
    let (pages, forms) = crawl(&admin).await;
    for page in [
        "/admin", "/admin/metrics", "/admin/users", "/admin/invites", "/admin/audit", "/admin/audit.csv",
        "/admin/limits", &bob,
    ] {
        assert!(pages.contains(page), "{page} is linked to: {pages:?}");
    }
    let forms: BTreeSet<_> = forms.iter().map(|path| format!("POST {}", route_of(path))).collect();
    let admins: Vec<_> = forms.iter().filter(|form| form.starts_with("POST /admin/")).collect();
    assert!(admins.len() == 9 && admins.iter().all(|form| reached.contains(*form)), "{admins:?}");
}

/// Opens and sends each page and form once.
async fn takes_the_tour(owner: &Actor) {
    let link = [("url", "https://tides.example/"), ("title", "Tide tables"), ("kind", "link")];
    let saved = owner.post_form("/resources", &link).await.is(303);
    let page = saved.header("location");
    owner.get(&page).await.ok().has("h1", "Tide tables");
    owner.get("/resources").await.ok().has(".entry-title a", "Tide tables");
    owner.get("/resources/new").await.ok().has("h1", "Save a link");
    owner.get("/capture?url=https%3A%2F%2Fmoon.example").await.ok().holds("url", "https://moon.example");
    owner.get("/capture/saved").await.ok().has("h1", "Saved");
    owner.get("/settings/capture").await.ok().has("h2", "Bookmarks bar button");
    owner.get("/opensearch.xml").await.ok();
    owner
        .post_form("/resources/several", &[("urls", "https://several.example/")])
        .await
        .redirects_to("/resources");
    owner.get("/resources/new?kind=note").await.ok().has("h1", "Write a note");
    owner.get(&format!("{page}/edit")).await.ok().holds("title", "Tide tables").holds("version", "1");
    owner
        .post_form(&page, &[("title", "Tides"), ("url", "https://tides.example/"), ("version", "1")])
        .await
        .redirects_to(&page);
    owner.get(&format!("{page}/row")).await.ok().has(".entry-title", "Tides");
    owner.get(&format!("{page}/details")).await.redirects_to(&format!("{page}/edit"));
    owner.get(&format!("{page}/details")).by_htmx().await.ok().holds("title", "Tides");
    let details = [("title", "Tides of Leith"), ("tags", "sea"), ("visibility", "members"), ("version", "2")];
    owner.post_form(&format!("{page}/details"), &details).by_htmx().await.ok().has(".tag", "sea");
    for act in ["pin", "unpin", "unread", "read"] {
        owner.post_form(&format!("{page}/{act}"), &[]).await.redirects_to(&page);
    }
    owner.get(&format!("{page}/revisions")).await.ok().has(".entry-title", "Version 7");
    owner.get(&format!("{page}/revisions/1")).await.ok().has("h1", "Tide tables");
    let restored = owner.post_form(&format!("{page}/revisions/1/restore"), &[("version", "7")]).await;
    restored.redirects_to(&page);
    owner.get("/tags").await.ok();
    has_saved_searches(owner).await;
    changes_many(owner, &page).await;
    owner.post_form(&format!("{page}/trash"), &[]).await.redirects_to("/resources");
    owner.get("/trash").await.ok().has(".entry-title", "Tide tables");
    owner.post_form("/trash/restore", &[]).await.redirects_to("/trash");
    owner.post_form("/trash/empty", &[]).await.redirects_to("/trash");
    owner.post_form(&format!("{page}/trash"), &[]).await.redirects_to("/resources");
    owner.post_form(&format!("{page}/restore"), &[]).await.redirects_to(&page);
    owner.post_form(&format!("{page}/trash"), &[]).await.redirects_to("/resources");
    owner.post_form(&format!("{page}/delete"), &[]).await.redirects_to("/trash");
    owner.get(&page).await.error_page(404);
    owner.post_form("/password/strength", &[("password", "quiet harbour")]).await.ok();
    looks_after_the_account(owner).await;
    owner.get("/import").await.ok().has("h1", "Import bookmarks");
    let file = b"<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><DT><A HREF=\"https://in.example/\">In</A></DL>";
    let report = owner.uploads("/import", "bookmarks.html", file, &[("visibility", "private")]).await.is(303);
    let report = report.header("location");
    owner.get(&report).await.ok().has("h1", "Bookmarks imported");
    owner.post_form(&format!("{report}/undo"), &[]).await.redirects_to(&report);
    let preview = owner.uploads("/import", "bookmarks.html", file, &[("step", "preview")]).await.is(303);
    let preview = preview.header("location");
    let choices = [("visibility", "members"), ("folders", "out")];
    owner.post_form(&format!("{preview}/preview"), &choices).await.redirects_to(&preview);
    owner.post_form(&format!("{preview}/commit"), &[]).await.redirects_to(&preview);
    let link = [("url", "https://again.invalid/"), ("title", "Again"), ("kind", "link")];
    let page = owner.post_form("/resources", &link).await.is(303).header("location");
    owner.post_form(&format!("{page}/fetch"), &[]).await.redirects_to(&page);
}

async fn has_saved_searches(owner: &Actor) {
    for name in ["Sea", "Tides", "Moon"] {
        let form = [("name", name), ("search", "q=tide")];
        owner.post_form("/searches", &form).await.redirects_to("/resources?q=tide");
    }
    let page = owner.get("/searches").await.ok().has("h1", "Saved searches");
    let feed = page.attributes(".searches a[type]", "href").remove(0);
    owner.get(&feed).await.ok().text_has("<title>Sea</title>");
    let rename = feed.trim_end_matches("/feed.atom");
    owner.post_form(rename, &[("name", "The sea")]).await.redirects_to("/searches");
    for act in ["down", "up", "delete"] {
        owner.post_form(&format!("{rename}/{act}"), &[]).await.redirects_to("/searches");
    }
}

async fn changes_many(owner: &Actor, page: &str) {
    let pick = page.replace("/resources/", "pick-");
    let form = [(pick.as_str(), "yes"), ("act", "add-tags"), ("tags", "harbour")];
    owner.post_form("/resources/many", &form).await.redirects_to("/resources");
    let undo = owner.get("/resources").await.ok().attributes(".toast form", "action").remove(0);
    owner.post_form(&undo, &[]).await.redirects_to("/resources");
    owner.get(undo.trim_end_matches("/undo")).await.ok().has("h1", "Undone");
    owner.post_form("/resources/many", &form).await.redirects_to("/resources");
    owner.get("/tags/edit?tag=harbour").await.ok().holds("to", "harbour");
    owner.get("/tags/change?tag=harbour&to=haven").await.ok().has("td", "haven");
    owner.post_form("/tags/change", &[("tag", "harbour"), ("to", "haven")]).await.redirects_to("/tags");
    owner.get("/tags/names?q=hav").await.ok().text_has("haven");
}

async fn looks_after_the_account(owner: &Actor) {
    owner.get("/settings").await.redirects_to("/settings/profile");
    let named = owner.post_form("/settings/profile", &[("display_name", "The owner")]).await;
    named.redirects_to("/settings/profile");
    let moved = [("email", "elsewhere@example.org")];
    owner.post_form("/settings/email", &moved).await.redirects_to("/settings/profile");
    owner.post_form("/settings/email/resend", &[]).await.redirects_to("/settings/profile");
    owner.get("/settings/display").await.ok().has("h1", "Display");
    owner.post_form("/settings/display", &[]).await.redirects_to("/settings/display");
    let density = [("density", "compact"), ("back", "/resources?q=tide")];
    owner.post_form("/settings/display/density", &density).await.redirects_to("/resources?q=tide");
    has_devices_and_tokens(owner).await;
    owner.get("/settings/security").await.ok().has("h1", "Security");
    let changed = [("current_password", PASSWORD), ("password", "staple orbit lantern")];
    owner.post_form("/settings/password", &changed).await.redirects_to("/settings/security");
    owner.learns_token().await;
    owner.post_form("/password/forgot", &[("email", "owner@example.org")]).await.ok();
}

async fn has_devices_and_tokens(owner: &Actor) {
    let elsewhere = async || {
        let browser = owner.without_cookies();
        browser.signs_in().await;
        let page = owner.get("/settings/sessions").await.ok().has("h1", "Devices");
        page.attributes("main form", "action")
    };
    let end = elsewhere().await.remove(0);
    owner.post_form(&end, &[]).await.redirects_to("/settings/sessions");
    let end_others = elsewhere().await.remove(1);
    owner.post_form(&end_others, &[]).await.redirects_to("/settings/sessions");
    let token = [("name", "ci"), ("days", "30"), ("resources_read", "on")];
    owner.post_form("/settings/tokens", &token).await.redirects_to("/settings/tokens");
    let page = owner.get("/settings/tokens").await.ok().has("h1", "API tokens");
    let revoke = page.attributes(".holdings form", "action").remove(0);
    owner.post_form(&revoke, &[]).await.redirects_to("/settings/tokens");
    has_webhooks(owner).await;
    has_share_links(owner).await;
    has_private_feeds(owner).await;
}

async fn has_private_feeds(owner: &Actor) {
    owner.post_form("/settings/feeds", &[]).await.redirects_to("/settings/shares");
    let page = owner.get("/settings/shares").await.ok().has(".feeds h3", "Your library");
    let address = page.attributes("#secret", "value").remove(0);
    owner.get(crate::browser::path_of(&address)).await.ok();
    for act in page.attributes(".feeds form", "action") {
        owner.post_form(&act, &[]).await.redirects_to("/settings/shares");
    }
}

async fn has_share_links(owner: &Actor) {
    owner.get("/sitemap.xml").await.ok();
    owner.post_form("/samples", &[]).await.redirects_to("/resources");
    owner.post_form("/samples/remove", &[]).await.is(303);
    owner.saves(json!({ "title": "Shared", "tags": ["shared"] })).await;
    owner
        .post_form("/settings/shares", &[("tag", "shared"), ("days", "7")])
        .await
        .redirects_to("/settings/shares");
    let page = owner.get("/settings/shares").await.ok().has("h1", "Share links");
    let address = page.attributes("#secret", "value").remove(0);
    let list = owner.get(crate::browser::path_of(&address)).await.ok().has("h1", "Tagged “shared”");
    owner.get(&list.attributes(".entry-title a", "href").remove(0)).await.ok().has("h1", "Shared");
    let revoke = page.attributes(".holdings form", "action").remove(0);
    owner.post_form(&revoke, &[]).await.redirects_to("/settings/shares");
}

async fn has_webhooks(owner: &Actor) {
    let hook = [("url", "https://hooks.invalid/coffer")];
    for _ in 0..2 {
        owner.post_form("/settings/webhooks", &hook).await.redirects_to("/settings/webhooks");
    }
    let page = owner.get("/settings/webhooks").await.ok().has("h1", "Webhooks");
    owner.get(&page.attributes(".holdings a", "href").remove(0)).await.ok().has("h1", "What was sent");
    let delete = page.attributes(".holdings form", "action").remove(0);
    owner.post_form(&delete, &[]).await.redirects_to("/settings/webhooks");
}

/// Of the webhook that the tour has left, which goes to a name that has no address.
async fn replays_a_delivery(app: &App, owner: &Actor) {
    app.coffer.library.webhooks.deliver_due().await.expect("the queue can be read");
    let log = owner.get("/settings/webhooks").await.ok().attributes(".holdings a", "href").remove(0);
    let replay = owner.get(&log).await.ok().attributes(".holdings form", "action").remove(0);
    owner.post_form(&replay, &[]).await.redirects_to(&log);
}

/// Follows every link that a page of ours shows: the addresses, and where the forms lead.
pub async fn crawl(actor: &Actor) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut seen, mut forms) = (BTreeSet::new(), BTreeSet::new());
    let mut waiting = VecDeque::from(["/".to_owned()]);
    while let Some(path) = waiting.pop_front() {
        // The metrics page's states are all combinations of a few; one at a time is enough, and one of all the
        // routes that have been measured by now.
        let route = |path: &str| path.starts_with("/admin/metrics") && path.contains("?route=");
        let combined = path.starts_with("/admin/metrics") && path.contains('&')
            || route(&path) && seen.iter().any(|known: &String| route(known));
        // So are the list's.
        let filters = path.matches('&').count() + path.matches("%3A").count();
        let combined = combined || path.starts_with("/resources?") && filters > 1;
        if !path.starts_with('/') || path.starts_with("/api/docs") || combined || !seen.insert(path.clone()) {
            continue;
        }
        assert!(seen.len() < CRAWL_LIMIT, "the site has no end: {seen:?}");
        let answer = actor.get(&path).await;
        assert!(answer.status() < 400, "{path} is linked\n{answer}");
        for (css, name) in
            [("a[href]", "href"), ("[hx-get]", "hx-get"), ("link[href]", "href"), ("script[src]", "src")]
        {
            let found = answer.attributes(css, name);
            waiting
                .extend(found.into_iter().map(|href| href.split('#').next().unwrap_or_default().to_owned()));
        }
        forms.extend(answer.attributes("form[method='post']", "action"));
        forms.extend(answer.attributes("[hx-post]", "hx-post"));
    }
    (seen, forms)
}

on_both_engines!(every_address_of_the_api_works, "--fetch=on", "--rate-limit-login-account=2 then 1h to 2h");
async fn every_address_of_the_api_works(app: App) {
    let owner = app.signed_in("owner").await;
    let entry =
        owner.saves(json!({ "title": "Tides", "url": "https://tides.example/", "tags": ["sea"] })).await;
    let api = entry.api();
    let list = owner.get("/api/v1/resources").await.ok().json();
    assert_eq!((&list["items"][0]["title"], &list["next_cursor"]), (&json!("Tides"), &json!(null)));
    owner.get(&api).await.ok().header_is("etag", "\"1\"");
    owner.get("/api/v1/resources/lookup?url=tides.example").await.ok().text_has(&entry.id);
    owner.saves(json!({ "title": "Shown", "visibility": "public" })).await;
    assert_eq!(app.visitor().get("/api/v1/users/owner").await.ok().json()["public_resources"], 1);
    owner.get("/api/v1/users/owner").await.ok().text_has("\"username\":\"owner\"");
    owner
        .json(Method::PATCH, &api, json!({ "title": "New" }))
        .if_match("\"1\"")
        .await
        .ok()
        .header_is("etag", "\"2\"");
    owner.get(&format!("{api}/revisions")).await.ok().text_has("\"via\":\"api\"");
    owner.get(&format!("{api}/revisions/1")).await.ok().text_has("\"title\":\"Tides\"");
    owner.json_free(Method::POST, &format!("{api}/revisions/1/restore")).if_match("\"2\"").await.ok();
    owner.json_free(Method::DELETE, &api).await.is(204);
    owner.json_free(Method::POST, &format!("{api}/restore")).await.ok().header_is("etag", "\"5\"");
    let batch = json!({ "operations": [{ "do": "create", "resource": { "title": "Batch" } }] });
    owner.json(Method::POST, "/api/v1/resources/batch", batch).await.ok();
    owner.get("/api/v1/resources/changes").await.ok().text_has(&entry.id);
    let put = "/api/v1/resources/01983a5e-7c00-7a10-8000-0000000000a1";
    owner.json(Method::PUT, put, json!({ "title": "Put" })).header("if-none-match", "*").await.is(201);
    let tags = owner.get("/api/v1/tags").await.ok().json();
    assert_eq!(tags["items"], json!([{ "name": "sea", "count": 1 }]));
    let library = owner.get("/api/v1/export?format=json").await.ok().json();
    assert_eq!(library["resources"][0]["title"], "Tides");
    assert_eq!(owner.get("/api/v1/me").await.ok().json()["username"], "owner");
    takes_the_tour_of_the_account(&app, &owner).await;
    let admin = app.admin("root").await;
    let users = admin.get("/api/v1/admin/users").await.ok().json();
    let user = format!("/api/v1/admin/users/{}", users["items"][0]["id"].as_str().expect("an id"));
    admin.json(Method::PATCH, &user, json!({ "disabled": true })).await.ok().text_has("\"disabled\":true");
    admin.get("/api/v1/admin/metrics").await.ok().text_has("\"status\":");
    admin.get("/api/v1/admin/overview").await.ok().text_has("\"needs\":");
    admin.get("/api/v1/admin/audit").await.ok().text_has("user.disable");
    admin.get("/api/v1/admin/audit.csv").await.ok().text_has("user.disable");
    let guess = json!({ "login": "nobody", "password": "wrong" });
    while app.visitor().json(Method::POST, "/api/v1/auth/token", guess.clone()).await.status() == 401 {}
    let limits = admin.get("/api/v1/admin/limits").await.ok().json();
    let client = limits["blocked"][0]["client"].as_str().expect("a client");
    admin.json_free(Method::DELETE, &format!("/api/v1/admin/limits/blocked/{client}")).await.is(204);
    let person = users["items"][0]["id"].as_str().expect("an id");
    admin.json_free(Method::DELETE, &format!("/api/v1/admin/limits/accounts/{person}")).await.is(204);
    let reached: BTreeSet<String> = owner.reached().union(&admin.reached()).cloned().collect();
    let asked: BTreeSet<String> = reached.into_iter().filter(|route| route.contains(" /api/")).collect();
    assert_eq!(asked, documented());
}

async fn takes_the_tour_of_the_account(app: &App, owner: &Actor) {
    let credentials = json!({ "login": "owner", "password": PASSWORD });
    let pair = owner.json(Method::POST, "/api/v1/auth/token", credentials).await.ok().json();
    let renewal = json!({ "refresh_token": pair["refresh_token"] });
    let pair = owner.json(Method::POST, "/api/v1/auth/refresh", renewal).await.ok().json();
    let end = json!({ "token": pair["access_token"] });
    owner.json(Method::POST, "/api/v1/auth/revoke", end).await.is(204);
    app.another_browser_of("owner").await;
    let devices = owner.get("/api/v1/me/sessions").await.ok().json();
    let device = devices["items"][1]["id"].as_str().expect("an id").to_owned();
    owner.json_free(Method::DELETE, &format!("/api/v1/me/sessions/{device}")).await.is(204);
    owner.json_free(Method::DELETE, "/api/v1/me/sessions").await.is(204);
    let draft = json!({ "name": "ci", "scopes": ["resources:read"] });
    let made = owner.json(Method::POST, "/api/v1/me/tokens", draft).await.is(201);
    owner.get("/api/v1/me/tokens").await.ok().text_has("\"name\":\"ci\"");
    let token = json!({ "token": made.json()["token"] });
    owner.json(Method::POST, "/api/v1/auth/introspect", token.clone()).await.ok().text_has("\"active\":true");
    let made = owner.json(Method::POST, "/api/v1/auth/rotate", token).await.ok().json();
    let successor = format!("/api/v1/me/tokens/{}", made["id"].as_str().expect("an id"));
    owner.json_free(Method::DELETE, &successor).await.is(204);
    takes_the_tour_of_trash_and_imports(owner).await;
    takes_the_tour_of_searches(owner).await;
    takes_the_tour_of_webhooks(app, owner).await;
    let shared = owner.json(Method::POST, "/api/v1/me/shares", json!({ "tag": "sea" })).await.is(201);
    owner.get("/api/v1/me/shares").await.ok().text_has("\"tag\":\"sea\"");
    let url = shared.json()["url"].as_str().expect("an address").to_owned();
    owner.get(&format!("/api/v1/shares/{}", url.rsplit('/').next().expect("a token"))).await.ok();
    owner.json_free(Method::DELETE, &shared.header("location")).await.is(204);
    let feed = owner.json(Method::POST, "/api/v1/me/feeds", json!({ "tag": "sea" })).await.is(201);
    let feed = feed.header("location");
    owner.get("/api/v1/me/feeds").await.ok().text_has("\"tag\":\"sea\"");
    owner.json_free(Method::POST, &format!("{feed}/renew")).await.ok();
    owner.json_free(Method::DELETE, &feed).await.is(204);
}

async fn takes_the_tour_of_trash_and_imports(owner: &Actor) {
    let gone = owner.saves(json!({ "title": "Gone" })).await;
    owner.json_free(Method::DELETE, &gone.api()).await.is(204);
    owner.json_free(Method::DELETE, &format!("/api/v1/trash/{}", gone.id)).await.is(204);
    owner.json_free(Method::DELETE, "/api/v1/trash").await.ok();
    let file = "<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><DT><A HREF=\"https://in.example/\">In</A></DL>";
    let sent = owner.sends(Method::POST, "/api/v1/imports", "text/html", file).await.is(201);
    owner.get("/api/v1/imports").await.ok();
    let import = sent.header("location");
    owner.get(&import).await.ok().text_has("\"previewed\"");
    owner.json_free(Method::POST, &format!("{import}/commit")).await.ok();
    owner.json_free(Method::POST, &format!("{import}/undo")).await.ok();
}

async fn takes_the_tour_of_searches(owner: &Actor) {
    let draft = json!({ "name": "Tides", "search": "q=tide" });
    let search = owner.json(Method::POST, "/api/v1/searches", draft).await.is(201).header("location");
    owner.get("/api/v1/searches").await.ok().text_has("\"search\":\"q=tide\"");
    owner.get(&search).await.ok().text_has("\"name\":\"Tides\"");
    owner.json(Method::PATCH, &search, json!({ "position": 1 })).await.ok();
    owner.json_free(Method::DELETE, &search).await.is(204);
}

async fn takes_the_tour_of_webhooks(app: &App, owner: &Actor) {
    let draft = json!({ "url": "https://hooks.invalid/" });
    let hook = owner.json(Method::POST, "/api/v1/me/webhooks", draft).await.is(201).header("location");
    owner.get("/api/v1/me/webhooks").await.ok().text_has("hooks.invalid");
    owner.saves(json!({ "title": "Told" })).await;
    app.coffer.library.webhooks.deliver_due().await.expect("the queue can be read");
    let log = owner.get(&format!("{hook}/deliveries")).await.ok().json();
    let delivery = log["items"][0]["id"].as_str().expect("an id");
    owner.json_free(Method::POST, &format!("/api/v1/me/deliveries/{delivery}/replay")).await.is(202);
    owner.json_free(Method::DELETE, &hook).await.is(204);
}

/// Every operation of the API, by its own description.
fn documented() -> BTreeSet<String> {
    let document = coffer::app::openapi("");
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("an item").keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    operations.collect()
}

on_both_engines!(somebody_registers_and_is_in, "--signup=open");
async fn somebody_registers_and_is_in(app: App) {
    let ada = app.visitor();
    let form =
        [("email", "ada@example.org"), ("username", "ada"), ("display_name", "Ada"), ("password", PASSWORD)];
    ada.post_form("/register", &form).await.redirects_to("/resources");
    ada.get("/resources").await.ok().has(".account-name", "Ada").has(".toast", "Welcome");
}

on_both_engines!(heads_are_gets_without_a_body);
async fn heads_are_gets_without_a_body(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tides" })).await;
    for path in [entry.page(), entry.api(), "/resources".to_owned(), "/static/css/base.css".to_owned()] {
        let head = owner.json_free(Method::HEAD, &path).await.ok();
        assert_eq!(head.text(), "", "{path}");
    }
}

on_both_engines!(assets_are_cached_for_ever_under_their_own_name);
async fn assets_are_cached_for_ever_under_their_own_name(app: App) {
    let visitor = app.visitor();
    let page = visitor.get("/login").await.ok();
    let assets: Vec<_> =
        [page.attributes("link[href]", "href"), page.attributes("script[src]", "src")].concat();
    assert!(assets.len() > 5, "{assets:?}");
    for asset in &assets {
        visitor.get(asset).await.ok().header_is("cache-control", "public, max-age=31536000, immutable");
    }
    visitor.get("/static/css/base.css?v=old").await.ok().header_is("cache-control", "public, max-age=300");
    for absent in ["/static/", "/static/absent.css", "/static/..%2fCargo.toml", "/static/vendor/README.md"] {
        visitor.get(absent).await.error_page(404);
    }
}
