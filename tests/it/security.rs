//! What docs/asvs.md says: that nothing is missing in it, that what it names exists, and what nothing else shows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use coffer::auth::sudo_mode::SUDO_LIFE;
use coffer::identity::Role;
use reqwest::Method;

use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::{App, Engine, PASSWORD};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A row of the table: its number, its level, where it is met, its test.
struct Row {
    id: String,
    level: String,
    place: String,
    test: String,
}

fn rows() -> Vec<Row> {
    let table = read("docs/asvs.md");
    let cells = table.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let [id, level, _, place, test] = cells[..] else { return None };
        let numbered = id.starts_with(|c: char| c.is_ascii_digit());
        let [id, level, place, test] = [id, level, place, test].map(str::to_owned);
        numbered.then_some(Row { id, level, place, test })
    });
    cells.collect()
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_requirement_is_in_the_table_once() {
    let told: Vec<_> = rows().into_iter().map(|row| format!("{} {}", row.id, row.level)).collect();
    let asked: Vec<_> = read("docs/asvs.txt").lines().map(str::to_owned).collect();
    assert_eq!(asked.len(), 228);
    assert_eq!(told, asked);
}

#[test]
fn every_requirement_has_a_place_that_exists_or_a_reason() {
    for row in rows() {
        let paths: Vec<_> = quoted(&row.place).filter(|part| is_path(part)).collect();
        for path in &paths {
            assert!(root().join(path).exists(), "{}: there is no {path}", row.id);
        }
        let reason =
            ["Not applicable: ", "Not met: ", "Met in part: ", "For who installs it: ", "There are none"];
        let reason = reason.iter().any(|begin| row.place.starts_with(begin));
        assert!(!paths.is_empty() || reason || row.place.len() > 30, "{}: {}", row.id, row.place);
    }
}

fn is_path(part: &str) -> bool {
    let places = ["src/", ".github/", "bin/", "docs/", "templates/", "static/", "tests/", "migrations/"];
    let files = ["Cargo.toml", "Cargo.lock", "README.md", "deny.toml", ".env.example"];
    places.iter().any(|place| part.starts_with(place)) || files.contains(&part)
}

#[test]
fn every_test_that_is_named_exists() {
    for row in rows() {
        let named: Vec<_> = quoted(&row.test).collect();
        assert!(row.test == "–" || !named.is_empty(), "{}: {}", row.id, row.test);
        for test in named {
            let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("{}: {test}", row.id));
            let file = if file.starts_with("src/") { file.to_owned() } else { format!("tests/it/{file}.rs") };
            let text = read(&file);
            let is_there = text.contains(&format!("fn {name}(")) && is_test(&text, name);
            assert!(is_there, "{}: there is no test {name} in {file}", row.id);
        }
    }
}

fn is_test(text: &str, name: &str) -> bool {
    let (before, _) = text.split_once(&format!("fn {name}(")).unwrap_or_default();
    let marks = ["#[test]", "#[tokio::test]"];
    let marked = before.lines().rev().take(3).any(|line| marks.contains(&line.trim()));
    marked
        || ["on_both_engines!(", "with_mail!("]
            .iter()
            .any(|make| text.split(make).skip(1).any(|made| made.trim_start().starts_with(name)))
        || text.contains("proptest!")
}

/// The text of every source file, tests aside.
fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.clone(), fs::read_to_string(&path).expect("a source file")));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join("src"), &mut found);
    assert!(found.len() > 100, "the sources are there");
    found
}

#[test]
fn nothing_of_the_program_runs_commands() {
    for (path, text) in sources() {
        assert!(!text.contains("process::Command") && !text.contains(" Command::new"), "{}", path.display());
    }
}

#[test]
fn the_program_opens_addresses_through_the_guarded_client_only() {
    let manifest = read("Cargo.toml");
    let (_, parts) = manifest.split_once("[dependencies]").expect("dependencies");
    let (parts, _) = parts.split_once("[dev-dependencies]").expect("what tests need");
    for client in ["ureq", "isahc", "curl", "client-legacy", "hyper-rustls"] {
        assert!(!parts.contains(client), "{client}");
    }
    // tracing-loki sends lines to the log store that the settings name. `coffer import --server` opens the coffer that its
    // own command line names, which may well be on this machine.
    let is_command = |path: &Path| path.ends_with("src/commands/library/remote.rs");
    for (path, text) in sources().into_iter().filter(|(path, _)| !is_command(path)) {
        assert!(!text.contains("reqwest::"), "{}", path.display());
        for (client, folder) in [("http_client::", "src/fetch/"), ("tracing_loki::", "telemetry/loki")] {
            let is_there = path.to_string_lossy().contains(folder);
            assert!(is_there || !text.contains(client), "{}", path.display());
        }
    }
}

#[test]
fn scripts_set_text_and_only_drafts_last() {
    for script in [
        "static/coffer.js", "static/drafts.js", "static/place.js", "static/tags.js", "static/many.js",
        "static/capture.js", "static/keys.js", "static/times.js", "static/copy.js", "static/drop.js",
    ] {
        for word in ["innerHTML", "insertAdjacent", "indexedDB", "eval(", "postMessage"] {
            assert!(!read(script).contains(word), "{script}: {word}");
        }
        // `restored_pages::logging_out_removes_drafts` sees them removed.
        assert_eq!(read(script).contains("localStorage"), script == "static/drafts.js", "{script}");
    }
    assert!(!read("static/coffer.js").contains("sessionStorage"));
    let layout = read("templates/layout.html");
    assert!(layout.contains("\"historyCacheSize\":0") && layout.contains("\"allowEval\":false"));
}

#[tokio::test]
async fn every_cookie_is_this_hosts_alone() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.has_account("ada", Role::Admin).await;
    let ada = Actor::new("ada", &app);
    let form = [("login", "ada"), ("password", PASSWORD), ("stay", "yes")];
    let mut lines = cookies(&ada.post_form("/login", &form).await.is(303));
    ada.learns_token().await;
    lines.extend(cookies(&ada.post_form("/admin/invites", &[]).await.is(303)));
    lines.extend(cookies(&ada.get("/admin/invites").await.ok()));
    lines.extend(cookies(&ada.post_form("/settings/profile", &[("display_name", "Ada")]).await.is(303)));
    lines.extend(cookies(&ada.get("/settings/profile").await.ok()));
    lines.extend(cookies(&ada.post_form("/settings/display", &[]).await.is(303)));
    lines.extend(cookies(&ada.post_form("/logout", &[]).await.is(303)));
    let names: BTreeSet<_> = lines.iter().filter_map(|line| line.split('=').next()).collect();
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        [
            "__Host-coffer", "__Host-coffer-device", "__Host-coffer-display", "__Host-coffer-notice",
            "__Host-coffer-once", "__Host-coffer-stay"
        ]
    );
    for line in &lines {
        let (pair, attributes) = line.split_once(';').expect("attributes");
        // What takes a cookie back needs no more than its name asks for.
        let taken_back = pair.ends_with('=');
        let wanted: &[_] =
            if taken_back { &["Secure", "Path=/"] } else { &["Secure", "Path=/", "HttpOnly", "SameSite="] };
        for wanted in wanted {
            assert!(attributes.contains(wanted), "{wanted} in {line}");
        }
        assert!(!attributes.contains("Domain") && pair.len() < 1_000, "{line}");
    }
}

fn cookies(answer: &Answer) -> Vec<String> {
    answer.all_of_header("set-cookie")
}

#[tokio::test]
async fn no_other_site_may_read_an_answer() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let ada = app.signed_in("ada").await;
    for path in ["/resources", "/api/v1/resources", "/api/v1/me", "/static/coffer.js", "/healthz"] {
        let answer = ada.get(path).header("origin", "https://evil.example").await;
        let told: Vec<_> = answer.headers().keys().map(ToString::to_string).collect();
        assert!(!told.iter().any(|name| name.starts_with("access-control-")), "{path}: {told:?}");
        answer.header_is("server", "").header_is("x-powered-by", "");
    }
    let asks = ada.sends(Method::OPTIONS, "/api/v1/resources", "application/json", "");
    let asks = asks.header("access-control-request-method", "POST").header("origin", "https://evil.example");
    asks.await.is(405).header_is("access-control-allow-origin", "");
}

#[tokio::test]
async fn password_fields_are_for_managers() {
    let app = App::with(Engine::Sqlite, &["--signup=open"]).await;
    let ada = app.signed_in("ada").await;
    let visitor = app.visitor();
    app.later(SUDO_LIFE); // or `/sudo` leads on
    for (who, path, wanted) in [
        (&visitor, "/login", "current-password"),
        (&visitor, "/register", "new-password"),
        (&ada, "/settings/security", "current-password new-password"),
        (&ada, "/sudo", "current-password"),
    ] {
        let page = who.get(path).await.ok();
        let fields = "input[name*='password']";
        assert_eq!(page.attributes(fields, "autocomplete").join(" "), wanted, "{path}");
        assert!(page.attributes(fields, "type").iter().all(|kind| kind == "password"), "{path}");
        page.has_no("[onpaste]").has_no("input[name*='password'][maxlength]");
    }
}

#[tokio::test]
async fn logging_out_clears_the_browser() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let ada = app.signed_in("ada").await;
    ada.post_form("/logout", &[]).await.redirects_to("/login").header_is("clear-site-data", "\"storage\"");
}
