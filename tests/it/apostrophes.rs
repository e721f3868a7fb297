//! Pages, emails and messages write ’ for an apostrophe.

use std::fs;
use std::path::{Path, PathBuf};

/// They speak at the command line, in logs and in metrics, which write '.
const NOT_PAGES: [&str; 9] =
    ["backup", "client_ip", "commands", "db", "doctor", "environment", "keys", "telemetry", "tls"];

#[test]
fn templates_and_scripts_write_typographic_apostrophes() {
    let files = [files("templates"), files("static")].concat();
    let is_text = |path: &PathBuf| !path.starts_with(root().join("static/vendor")) && !is_picture(path);
    none_is_wrong(files.into_iter().filter(is_text), |line| has_apostrophe(line) && !is_comment(line));
}

#[test]
fn messages_write_typographic_apostrophes() {
    let is_page = |path: &PathBuf| {
        let room = path.strip_prefix(root().join("src")).expect("below src").iter().next().expect("a name");
        let is_page = !NOT_PAGES.contains(&room.to_str().expect("UTF-8").trim_end_matches(".rs"));
        is_page && path.extension().is_some_and(|ending| ending == "rs")
    };
    none_is_wrong(files("src").into_iter().filter(is_page), is_wrong_message);
}

#[test]
fn a_wrong_message_is_found() {
    assert!(is_wrong_message(r#"Self::NotFound => "This page doesn't exist.".into(),"#));
    assert!(is_wrong_message(r#"    format!("{name}'s entries")"#));
    for right in [
        r#"    "This page doesn’t exist.""#,
        "    // It doesn't exist.",
        r#"(status = 200, description = "The account's id")"#,
        r#"tracing::warn!("the page can't be read")"#,
        "fn name<'a>(text: &'a str) -> &'a str { if text.as_bytes()[0] == b'a' { text } else { text } }",
    ] {
        assert!(!is_wrong_message(right), "{right}");
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("a folder").map(|entry| entry.expect("an entry"));
    let below = entries.flat_map(|entry| {
        let path = entry.path();
        let name = path.strip_prefix(root()).expect("below the root").to_str().expect("UTF-8");
        if path.is_dir() { files(name) } else { vec![path] }
    });
    below.collect()
}

fn is_picture(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ["png", "ico"].iter().any(|picture| ending == *picture))
}

fn none_is_wrong(files: impl Iterator<Item = PathBuf>, is_wrong: impl Fn(&str) -> bool) {
    let mut wrong = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("a text");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = (1..).zip(code.lines()).filter(|(_, line)| is_wrong(line));
        wrong.extend(lines.map(|(number, line)| format!("{}:{number}: {}", path.display(), line.trim())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A message begins with a capital, or with a value; what begins small is for logs.
fn is_wrong_message(line: &str) -> bool {
    let begin = |at: usize| line[..at].rsplit_once('"').map_or("", |(_, message)| message);
    let is_message = |at| begin(at).starts_with(|first: char| first.is_uppercase() || first == '{');
    !is_comment(line) && !line.contains("description = ") && apostrophes(line).any(is_message)
}

fn is_comment(line: &str) -> bool {
    ["//", "{#"].iter().any(|sign| line.trim_start().starts_with(sign))
}

fn has_apostrophe(line: &str) -> bool {
    apostrophes(line).next().is_some()
}

/// Where ' stands between two letters.
fn apostrophes(line: &str) -> impl Iterator<Item = usize> {
    let ends = |text: &str| text.ends_with(char::is_alphabetic) || text.ends_with('}');
    line.match_indices('\'')
        .map(|(at, _)| at)
        .filter(move |at| ends(&line[..*at]) && line[at + 1..].starts_with(char::is_alphabetic))
}
