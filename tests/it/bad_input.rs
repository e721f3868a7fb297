//! Nonsense of every kind gets a 4xx that says what is wrong, never a 5xx, and loses nothing that was typed.

use coffer::web::forms::encode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::actor::Actor;
use crate::support::app::App;
use crate::support::on_both_engines;

const RESOURCES: &str = "/api/v1/resources";

async fn posts(actor: &Actor, body: Value) -> crate::support::answer::Answer {
    actor.json(Method::POST, RESOURCES, body).await
}

on_both_engines!(each_field_of_a_draft_has_its_rules);
async fn each_field_of_a_draft_has_its_rules(app: App) {
    let owner = app.signed_in("owner").await;
    let address = |path: &str| format!("https://a.example/{path}");
    for (field, draft) in [
        ("title", json!({})),
        ("title", json!({ "title": "  ", "body": "\u{2003}\u{a0}\n#" })),
        ("title", json!({ "title": "x".repeat(501) })),
        ("title", json!({ "title": "a\u{0}b" })),
        ("title", json!({ "title": 5 })),
        ("title", json!({ "title": null })),
        ("title", json!({ "title": ["a"] })),
        ("body", json!({ "title": "t", "body": "x".repeat(100_001) })),
        ("body", json!({ "title": "t", "body": "a\u{0}b" })),
        ("url", json!({ "kind": "link" })),
        ("url", json!({ "url": "" })),
        ("url", json!({ "url": "javascript:alert(1)" })),
        ("url", json!({ "url": "https://user:secret@a.example/" })),
        ("url", json!({ "url": address(&"x".repeat(2_000)) })),
        ("url", json!({ "url": address("a\u{0}b") })),
        ("url", json!({ "kind": "note", "title": "t", "url": address("") })),
        ("tags", json!({ "title": "t", "tags": ["x".repeat(61)] })),
        ("tags", json!({ "title": "t", "tags": (0..51).map(|n| n.to_string()).collect::<Vec<_>>() })),
        ("tags", json!({ "title": "t", "tags": ["a\u{0}b"] })),
        ("tags", json!({ "title": "t", "tags": ["\u{1}evil"] })),
        ("tags", json!({ "title": "t", "tags": "sea" })),
        ("tags[0]", json!({ "title": "t", "tags": [5] })),
        ("kind", json!({ "title": "t", "kind": "book" })),
        ("visibility", json!({ "title": "t", "visibility": "everyone" })),
        ("visibility", json!({ "title": "t", "visibility": null })),
        ("pinned", json!({ "title": "t", "pinned": "yes" })),
        ("unread", json!({ "title": "t", "unread": 1 })),
        ("titel", json!({ "titel": "t" })),
        ("id", json!({ "title": "t", "id": "0198c0de-0000-7000-8000-000000000000" })),
    ] {
        posts(&owner, draft).await.invalid(field);
    }
    owner.get(RESOURCES).await.ok().text_has("\"items\":[]");
}

on_both_engines!(all_wrong_fields_are_named_at_once);
async fn all_wrong_fields_are_named_at_once(app: App) {
    let owner = app.signed_in("owner").await;
    let draft = json!({ "title": "x".repeat(501), "url": "mailto:a@b.example", "tags": ["x".repeat(61)] });
    posts(&owner, draft).await.invalid("title").invalid("url").invalid("tags");
}

on_both_engines!(what_just_fits_is_taken);
async fn what_just_fits_is_taken(app: App) {
    let owner = app.signed_in("owner").await;
    let url = format!("https://a.example/{}", "x".repeat(2_000 - 18));
    let tags: Vec<_> = (0..50).map(|n| format!("{n}{}", "語".repeat(58))).collect();
    let title = "ß".repeat(500);
    let draft = json!({ "title": title, "url": url, "body": "語".repeat(100_000), "tags": tags });
    let entry = owner.saves(draft).await;
    let kept = owner.get(&entry.api()).await.ok().json();
    assert_eq!((&kept["title"], &kept["url"]), (&json!(title), &json!(url)));
    assert_eq!(kept["body"].as_str().map(|body| body.chars().count()), Some(100_000));
    assert_eq!(kept["tags"].as_array().map(Vec::len), Some(50));
    owner.get(&entry.page()).await.ok();
    owner.get("/resources?q=語").await.ok().has(".entry-title", "ßßß");
}

on_both_engines!(texts_that_swell_in_the_index_are_taken);
async fn texts_that_swell_in_the_index_are_taken(app: App) {
    let owner = app.signed_in("owner").await;
    let many_words: String = (0..18_000).map(|n| n.to_string() + " ").collect();
    let one_word = "a".repeat(100_000);
    let eighteen_letters_each = "\u{fdfa}".repeat(5_000);
    let every_ideograph: String = ('\u{20000}'..'\u{2a6d0}').chain('\u{4e00}'..'\u{9fa5}').collect();
    for (n, body) in [many_words, one_word, eighteen_letters_each, every_ideograph].into_iter().enumerate() {
        owner.saves(json!({ "title": format!("Swollen {n}"), "body": body })).await;
    }
    let found = owner.get("/api/v1/resources?q=swollen&limit=200").await.ok().json();
    assert_eq!(found["items"].as_array().map(Vec::len), Some(4));
}

on_both_engines!(json_that_is_none_is_malformed);
async fn json_that_is_none_is_malformed(app: App) {
    let owner = app.signed_in("owner").await;
    let deep = "[".repeat(10_000);
    let bodies: [&[u8]; 10] = [
        b"",
        b"{",
        b"{\"title\":}",
        b"{} trailing",
        b"{\"title\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        b"{\"title\":\"\\ud800\"}",
        b"{'title':'a'}",
        b"title=a",
        deep.as_bytes(),
    ];
    for body in bodies {
        let ask = owner.sends(Method::POST, RESOURCES, "application/json", body);
        ask.await.is(400).problem("malformed_json");
    }
}

on_both_engines!(json_that_is_none_is_refused_in_plain_words);
async fn json_that_is_none_is_refused_in_plain_words(app: App) {
    let owner = app.signed_in("owner").await;
    for (body, said) in [
        ("", "The body is empty; send a JSON object."),
        ("nope", "The body is not valid JSON: look at line 1, column 2."),
        ("{\"title\":", "The body ends too early, at line 1, column 9."),
    ] {
        for path in [RESOURCES, "/api/v1/me/tokens"] {
            let refused = owner.sends(Method::POST, path, "application/json", body).await.is(400);
            assert_eq!(refused.problem("malformed_json").json()["detail"], said);
        }
    }
}

on_both_engines!(a_compressed_body_is_refused_as_such);
async fn a_compressed_body_is_refused_as_such(app: App) {
    let owner = app.signed_in("owner").await;
    for (path, body) in [
        (RESOURCES, r#"{"title":"t"}"#),
        ("/api/v1/resources/batch", r#"{"operations":[]}"#),
        ("/api/v1/me/shares", r#"{"tag":"t"}"#),
        ("/api/v1/imports", "https://tides.example/"),
    ] {
        let packed = owner.sends(Method::POST, path, "application/json", body);
        let refused =
            packed.header("content-encoding", "gzip").await.is(415).problem("unsupported_media_type");
        assert_eq!(refused.json()["detail"], "Send this as it is, without Content-Encoding.", "{path}");
    }
    let plain = owner.sends(Method::POST, RESOURCES, "application/json", r#"{"title":"t"}"#);
    plain.header("content-encoding", "identity").await.is(201);
}

on_both_engines!(json_of_another_shape_is_invalid);
async fn json_of_another_shape_is_invalid(app: App) {
    let owner = app.signed_in("owner").await;
    for body in ["5", "\"title\"", "null", "true", "[]", "[\"note\",\"By position\"]"] {
        let ask = owner.sends(Method::POST, RESOURCES, "application/json", body);
        ask.await.invalid("body");
    }
    let twice = r#"{"title":"a","title":"b"}"#;
    owner.sends(Method::POST, RESOURCES, "application/json", twice).await.invalid("body");
    owner.get(RESOURCES).await.ok().text_has("\"items\":[]");
}

on_both_engines!(a_change_has_the_same_rules);
async fn a_change_has_the_same_rules(app: App) {
    let owner = app.signed_in("owner").await;
    let note = owner.saves(json!({ "title": "A note" })).await;
    for (field, change) in [
        ("title", json!({ "title": null })),
        ("title", json!({ "title": "x".repeat(501) })),
        ("body", json!({ "body": null })),
        ("tags", json!({ "tags": null })),
        ("visibility", json!({ "visibility": null })),
        ("pinned", json!({ "pinned": null })),
        ("unread", json!({ "unread": null })),
        ("url", json!({ "url": "https://a.example/" })),
        ("kind", json!({ "kind": "link" })),
        ("version", json!({ "version": 1 })),
    ] {
        owner.json(Method::PATCH, &note.api(), change).if_match("*").await.invalid(field);
    }
    owner.get(&note.api()).await.ok().header_is("etag", "\"1\"");
}

on_both_engines!(only_json_is_taken_for_json);
async fn only_json_is_taken_for_json(app: App) {
    let owner = app.signed_in("owner").await;
    let draft = r#"{"title":"t"}"#;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/xml",
        "",
    ] {
        let ask = owner.sends(Method::POST, RESOURCES, kind, draft);
        ask.await.is(415).problem("unsupported_media_type");
    }
    owner.sends(Method::POST, RESOURCES, "text/plain", draft).without("content-type").await.is(415);
    for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        owner.sends(Method::POST, RESOURCES, kind, draft).await.is(201);
    }
}

on_both_engines!(only_forms_are_taken_for_forms);
async fn only_forms_are_taken_for_forms(app: App) {
    let owner = app.signed_in("owner").await;
    for kind in ["text/plain", "application/json", "text/html"] {
        owner.sends(Method::POST, "/resources", kind, "title=t&kind=note").await.error_page(415);
    }
    owner.sends(Method::POST, "/import", "text/plain", "x").await.error_page(415);
    owner.sends(Method::POST, "/import", "multipart/form-data", "x").await.error_page(415);
    owner
        .sends(Method::POST, "/import", "multipart/form-data; boundary=x", "--x\r\nbroken")
        .await
        .error_page(400);
    owner
        .sends(Method::POST, "/resources", "Application/X-WWW-Form-Urlencoded", "title=t&kind=note")
        .await
        .is(303);
}

on_both_engines!(bodies_beyond_the_limit_are_413, "--import-limit=1");
async fn bodies_beyond_the_limit_are_413(app: App) {
    let owner = app.signed_in("owner").await;
    let huge = "x".repeat((2 << 20) + 1);
    posts(&owner, json!({ "title": "t", "body": &huge[..1 << 20] })).await.is(413).problem("too_large");
    owner.post_form("/resources", &[("body", &huge)]).await.error_page(413);
    let ask = owner.post_form("/resources", &[("body", &huge)]).header("x-csrf-token", owner.token());
    ask.await.error_page(413);
    app.visitor().post_form("/login", &[("login", &huge)]).await.error_page(413);
    owner.uploads("/import", "b.html", huge.as_bytes(), &[]).await.error_page(413).text_has("1 MiB");
}

on_both_engines!(a_body_that_is_announced_too_large_is_not_waited_for);
async fn a_body_that_is_announced_too_large_is_not_waited_for(app: App) {
    for (status, path, kind) in [
        (413, "/login", "application/x-www-form-urlencoded"),
        (413, "/api/v1/auth/token", "application/json"),
        (401, RESOURCES, "application/json"),
        (401, "/import", "multipart/form-data; boundary=x"),
    ] {
        let host = app.origin().replace("http://", "");
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: {kind}\r\n\
             Content-Length: 9223372036854775807\r\nConnection: close\r\n\r\n"
        );
        let answer = app.raw(request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    }
}

on_both_engines!(cursors_are_taken_from_our_own_hands_only);
async fn cursors_are_taken_from_our_own_hands_only(app: App) {
    let owner = app.signed_in("owner").await;
    for n in 0..3 {
        owner.saves(json!({ "title": format!("Entry {n}") })).await;
    }
    let first = owner.get("/api/v1/resources?limit=1").await.ok().json();
    let cursor = first["next_cursor"].as_str().expect("a second page").to_owned();
    owner.get(&format!("/api/v1/resources?limit=1&cursor={cursor}")).await.ok();
    let flipped = format!("{}{}", if cursor.starts_with('A') { "B" } else { "A" }, &cursor[1..]);
    for bad in
        ["x", "%00", "AAAA", "....", "%FF%FE", &flipped, &cursor[..cursor.len() - 2], &format!("{cursor}AA")]
    {
        let answer = owner.get(&format!("/api/v1/resources?cursor={bad}")).await.is(400);
        let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
        assert!(["bad_cursor", "invalid_utf8"].contains(&code.as_str()), "{bad}: {answer}");
        owner.get(&format!("/resources?cursor={bad}")).await.error_page(400);
    }
    for other in ["title", "oldest", "changed"] {
        let asked = format!("/api/v1/resources?limit=1&sort={other}&cursor={cursor}");
        owner.get(&asked).await.is(400).problem("bad_cursor");
    }
    owner.get(&format!("/api/v1/resources?q=entry&cursor={cursor}")).await.is(400).problem("bad_cursor");
}

on_both_engines!(a_cursor_of_another_library_is_refused);
async fn a_cursor_of_another_library_is_refused(app: App) {
    let other = App::with(app.engine, &[]).await;
    let mut cursors = Vec::new();
    for library in [&app, &other] {
        let owner = library.signed_in("owner").await;
        owner.saves(json!({ "title": "One" })).await;
        owner.saves(json!({ "title": "Two" })).await;
        cursors.push(owner.get("/api/v1/resources?limit=1").await.ok().json()["next_cursor"].to_string());
    }
    let theirs = cursors[1].trim_matches('"');
    app.visitor().get(&format!("/api/v1/resources?cursor={theirs}")).await.is(400).problem("bad_cursor");
}

on_both_engines!(parameters_have_their_values);
async fn parameters_have_their_values(app: App) {
    let owner = app.signed_in("owner").await;
    for bad in [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=ten",
        "limit=1.5",
        "limit=99999999999999999999",
        "sort=best",
        "kind=book",
        "pinned=yes",
        "pinned=0",
        "tag=,",
        "tag=%00",
        "q=a&q=b",
    ] {
        owner.get(&format!("/api/v1/resources?{bad}")).await.is(400).problem("bad_parameter");
        owner.get(&format!("/resources?{bad}")).await.error_page(400);
    }
    owner.get("/api/v1/resources?colour=red").await.is(400).problem("bad_parameter").text_has("colour");
    owner.get("/resources?colour=red").await.ok();
    owner.get("/api/v1/resources/lookup").await.is(400).problem("bad_parameter");
    owner.get("/api/v1/resources/lookup?url=").await.invalid("url");
    owner.get("/api/v1/resources/lookup?url=%00").await.invalid("url");
}

on_both_engines!(a_query_that_cannot_be_read_says_where);
async fn a_query_that_cannot_be_read_says_where(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "Something" })).await;
    let (many, long) = ("a ".repeat(33), "x".repeat(1_001));
    for (query, position) in [
        ("tide tag:", 5),
        ("before:yesterday", 0),
        ("a after:2026-02-30", 2),
        ("kind:book", 0),
        ("is:new", 0),
        ("visibility:all", 0),
        ("tide or tag:sea", 8),
        ("by:%25", 0),
        (many.trim(), 64),
        (long.as_str(), 1_000),
    ] {
        let query = query.replace(' ', "+");
        let answer = owner.get(&format!("/api/v1/resources?q={query}")).await.is(400).problem("bad_query");
        assert_eq!(answer.json()["position"], position, "{query}");
        let sentence = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
        let page = owner.get(&format!("/resources?q={query}")).await.is(400);
        page.has("#query-error", &sentence).holds("q", &query.replace('+', " ").replace("%25", "%"));
    }
}

on_both_engines!(any_text_at_all_may_be_searched_for);
async fn any_text_at_all_may_be_searched_for(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "Something" })).await;
    for query in [
        "'",
        "\"",
        "\\",
        "%",
        "_",
        "*",
        ":*",
        "!",
        "&",
        "|",
        "<->",
        "a<->b",
        "NEAR(a b)",
        "fold_title:a",
        "^a",
        "{a}",
        "(",
        ")",
        "a AND b",
        "NOT a",
        "--",
        "-",
        "- -a",
        "a\0b",
        "\u{202e}",
        "🦀",
        "👩‍👩‍👧",
        "\u{301}",
        "\u{ffff}",
        "語",
        "ß",
        "İ",
        "x:y",
        "http://a.b/c?d=e",
        "''); DROP TABLE users; --",
        "$1",
        "?1",
        "$$",
        "\n\t",
        "-\"a b\"",
        "\"a",
        "tag:\"a b\"",
        "site:例え.jp",
        "by:ada",
        "\u{fdfa}",
    ] {
        let encoded = encode(query);
        for sort in ["", "&sort=title", "&sort=changed"] {
            owner.get(&format!("/api/v1/resources?q={encoded}{sort}")).await.ok();
        }
        owner.get(&format!("/resources?q={encoded}")).await.ok();
        owner.get(&format!("/resources?q={encoded}")).by_htmx().await.ok();
    }
}

on_both_engines!(any_text_at_all_may_be_kept);
async fn any_text_at_all_may_be_kept(app: App) {
    let owner = app.signed_in("owner").await;
    for text in [
        "<script>alert(1)</script>",
        "' OR 1=1 --",
        "{{ 7*7 }}",
        "\u{202e}txt.exe",
        "🦀👩‍👩‍👧",
        "\u{ffff}\u{fffd}",
        "a\u{1}b\u{7f}",
        "&amp;lt;",
        "\u{2028}x",
    ] {
        let entry = owner.saves(json!({ "title": text, "body": text, "tags": [], "url": null })).await;
        let kept = owner.get(&entry.api()).await.ok().json();
        assert_eq!(kept["body"], text);
        owner.get(&entry.page()).await.ok().has_no("main script").lacks("<script>alert");
        owner.get(&format!("{}/edit", entry.page())).await.ok().holds("body", text);
        owner.get(&format!("{}/revisions", entry.page())).await.ok().lacks("<script>alert");
    }
    owner
        .get("/resources")
        .await
        .ok()
        .lacks("<script>alert")
        .has(".entry-title", "<script>alert(1)</script>");
}

on_both_engines!(text_that_is_not_utf8_is_refused);
async fn text_that_is_not_utf8_is_refused(app: App) {
    let owner = app.signed_in("owner").await;
    owner.get("/api/v1/resources?q=%FF").await.is(400).problem("invalid_utf8");
    owner.get("/resources?q=%C3%28").await.error_page(400);
    let form = format!("kind=note&title=%FF&csrf={}", owner.token());
    owner.sends(Method::POST, "/resources", "application/x-www-form-urlencoded", form).await.error_page(400);
    for path in ["/resources/%FF", "/resources/%FF/edit", "/import/%FF", "/absent%FF", "/static/%FF"] {
        let answer = owner.get(path).await;
        assert!([400, 404].contains(&answer.status()), "{answer}");
    }
    owner.get("/setup/%FF").await.has("h1", "");
    for path in ["/api/v1/resources/%FF", "/api/v1/resources/%FF/revisions/%FF"] {
        owner.get(path).await.is(404).problem("not_found");
    }
    owner.get("/api/%FF").await.is(404).problem("unknown_route");
}

on_both_engines!(what_is_no_id_names_nothing);
async fn what_is_no_id_names_nothing(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "t" })).await;
    let long = "x".repeat(3_000);
    for id in [
        "1",
        "x",
        "%00",
        "..%2f..%2f",
        "00000000-0000-0000-0000-000000000000",
        "0198c0de-0000-7000-8000-00000000000",
        &long,
    ] {
        owner.get(&format!("/resources/{id}")).await.error_page(404);
        owner.get(&format!("/resources/{id}/edit")).await.error_page(404);
        owner
            .post_form(&format!("/resources/{id}"), &[("version", "1"), ("title", "t")])
            .await
            .error_page(404);
        owner.get(&format!("/import/{id}")).await.error_page(404);
        owner.get(&format!("/api/v1/resources/{id}")).await.is(404).problem("not_found");
        owner
            .json_free(Method::DELETE, &format!("/api/v1/resources/{id}"))
            .await
            .is(404)
            .problem("not_found");
    }
    for version in ["0", "2", "-1", "x", "1.0", "99999999999999999999", "%00"] {
        owner.get(&format!("{}/revisions/{version}", entry.page())).await.error_page(404);
        owner.get(&format!("{}/revisions/{version}", entry.api())).await.is(404).problem("not_found");
        let restore = owner.json_free(Method::POST, &format!("{}/revisions/{version}/restore", entry.api()));
        restore.if_match("*").await.is(404).problem("not_found");
    }
}

on_both_engines!(other_methods_are_405_and_the_right_ones_are_listed);
async fn other_methods_are_405_and_the_right_ones_are_listed(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "t" })).await;
    for (method, path, allowed) in [
        (Method::PUT, RESOURCES.to_owned(), "GET,HEAD,POST"),
        (Method::OPTIONS, RESOURCES.to_owned(), "GET,HEAD,POST"),
        (Method::POST, entry.api(), "GET,HEAD,PATCH,PUT,DELETE"),
        (Method::GET, format!("{}/restore", entry.api()), "POST"),
        (Method::DELETE, "/api/v1/tags".to_owned(), "GET,HEAD"),
        (Method::DELETE, "/api/v1/openapi.json".to_owned(), "GET,HEAD"),
    ] {
        let answer = owner.json_free(method, &path).await.is(405).problem("method_not_allowed");
        assert_eq!(sorted(&answer.header("allow")), sorted(allowed), "{path}");
    }
    for (method, path, allowed) in [
        (Method::GET, "/logout".to_owned(), "POST"),
        (Method::DELETE, "/login".to_owned(), "GET,HEAD,POST"),
        (Method::PATCH, entry.page(), "GET,HEAD,POST"),
        (Method::POST, "/trash".to_owned(), "GET,HEAD"),
        (Method::GET, format!("{}/pin", entry.page()), "POST"),
    ] {
        let answer = owner.json_free(method, &path).await.error_page(405);
        assert_eq!(sorted(&answer.header("allow")), sorted(allowed), "{path}");
    }
}

fn sorted(methods: &str) -> Vec<&str> {
    let mut methods: Vec<_> = methods.split(',').map(str::trim).collect();
    methods.sort_unstable();
    methods
}

on_both_engines!(unknown_addresses_are_404_in_the_trees_own_dress);
async fn unknown_addresses_are_404_in_the_trees_own_dress(app: App) {
    let owner = app.signed_in("owner").await;
    for path in
        ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/resources", "/api/v1/resources/", "/api/v1/x/y/z"]
    {
        owner.get(path).await.is(404).problem("unknown_route");
        owner.json(Method::POST, path, json!({})).await.is(404).problem("unknown_route");
        app.visitor().get(path).await.is(404).problem("unknown_route");
    }
    for path in ["/absent", "/resources/", "//", "/login/", "/admin/", "/.env", "/..%2f..%2fetc/passwd"] {
        owner.get(path).await.error_page(404).has("a[href='/']", "Back to library");
        owner.post_form(path, &[("title", "Typed")]).await.error_page(404).has("main textarea", "Typed");
        app.visitor().get(path).await.error_page(404);
    }
}

on_both_engines!(a_change_names_the_version_it_is_over);
async fn a_change_names_the_version_it_is_over(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "t" })).await;
    let restore = format!("{}/revisions/1/restore", entry.api());
    let asks = || {
        [
            owner.json(Method::PATCH, &entry.api(), json!({ "title": "u" })),
            owner.json_free(Method::POST, &restore),
        ]
    };
    for ask in asks() {
        let refused = ask.await.is(428).problem("precondition_required").json();
        assert_eq!(refused["detail"], "Send If-Match with the ETag of the version you have read.");
    }
    for bad in ["", "1", "abc", "\"", "W/1", "w/\"1\"", "\"1\" \"2\"", "*, \"1\"", "\"1\";"] {
        for ask in asks() {
            ask.if_match(bad).await.is(400).problem("bad_if_match");
        }
    }
    for stale in [
        "\"0\"",
        "\"2\"",
        "\"-1\"",
        "\"x\"",
        "\"\"",
        "\"1,\"",
        "W/\"1\"",
        "\"2\", W/\"1\"",
        "\"99999999999999999999\"",
    ] {
        for ask in asks() {
            let answer = ask.if_match(stale).await.is(412).problem("version_conflict");
            assert_eq!(answer.json()["current_version"], 1);
        }
    }
    for (n, good) in ["\"1\"", "W/\"2\", \"7\" ,, \"2\"", "*"].into_iter().enumerate() {
        let ask = owner.json(Method::PATCH, &entry.api(), json!({ "title": format!("v{n}") }));
        ask.if_match(good).await.ok();
    }
}

on_both_engines!(a_refused_form_still_holds_what_was_typed);
async fn a_refused_form_still_holds_what_was_typed(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Before", "url": "https://before.example/" })).await;
    let (long, tag) = ("x".repeat(501), "y".repeat(61));
    let good = [
        ("kind", "link"),
        ("url", "https://new.example/"),
        ("title", "Typed"),
        ("body", "Every\n\nword "),
        ("tags", "a, b"),
        ("visibility", "members"),
        ("version", "1"),
    ];
    for (field, value) in [
        ("title", long.as_str()),
        ("title", "a\0b"),
        ("url", "not a url"),
        ("url", ""),
        ("body", "a\0b"),
        ("tags", tag.as_str()),
        ("visibility", "everyone"),
    ] {
        let typed = good.map(|(name, kept)| if name == field { (name, value) } else { (name, kept) });
        for path in ["/resources", &entry.page()] {
            let mut refused = owner
                .post_form(path, &typed)
                .await
                .is(422)
                .has("#refused a", "")
                .has(&format!("#{field}-error"), "");
            for (name, value) in typed.into_iter().filter(|(name, _)| {
                !["visibility", "kind"].contains(name) && (*name != "version" || path != "/resources")
            }) {
                refused = refused.holds(name, &value.replace('\0', "\u{fffd}"));
            }
        }
    }
    owner.get(&entry.api()).await.ok().header_is("etag", "\"1\"");
}

on_both_engines!(a_row_that_is_refused_in_place_still_holds_what_was_typed);
async fn a_row_that_is_refused_in_place_still_holds_what_was_typed(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Before" })).await;
    let details = format!("{}/details", entry.page());
    let long = "x".repeat(61);
    let form = [("title", "Typed"), ("tags", &long), ("visibility", "members"), ("version", "1")];
    let refused = owner.post_form(&details, &form).by_htmx().await.is(422);
    refused
        .holds("title", "Typed")
        .holds("tags", &long)
        .holds("visibility", "members")
        .has(".field-error", "");
    let stale = [("title", "Typed"), ("version", "7")];
    let refused = owner.post_form(&details, &stale).by_htmx().await.is(409);
    refused.holds("title", "Typed").holds("version", "1").text_has("changed in the meantime");
}

on_both_engines!(an_editor_without_its_version_is_refused_and_given_back);
async fn an_editor_without_its_version_is_refused_and_given_back(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Before" })).await;
    for version in ["", "x", "1e9"] {
        let form = [("title", "Typed"), ("version", version)];
        owner.post_form(&entry.page(), &form).await.error_page(400).has("main textarea", "Typed");
    }
}
