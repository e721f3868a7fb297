//! Local addresses in the text of an answer, put below a path.

use axum::http::{HeaderMap, header};

/// Attributes that hold an address.
const ADDRESSES: [&str; 9] =
    ["action", "formaction", "href", "src", "hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete"];

pub type Rewrite = fn(&str, &str) -> String;

/// How the addresses in such an answer are found; `None` where it holds none, or is a file to keep.
pub fn rewriter(headers: &HeaderMap) -> Option<Rewrite> {
    if headers.contains_key(header::CONTENT_DISPOSITION) {
        return None;
    }
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    match kind.split(';').next()? {
        "text/html" => Some(html),
        "application/manifest+json" => Some(manifest),
        "application/problem+json" => Some(problem),
        "application/json" => Some(results),
        _ => None,
    }
}

/// Every text of the manifest that begins with a slash is an address.
fn manifest(text: &str, path: &str) -> String {
    text.replace("\"/", &format!("\"{path}/"))
}

/// `type` leads to the catalogue of errors, `nearest` to an address of the API; the detail names pages.
fn problem(text: &str, path: &str) -> String {
    let mut text = text.to_owned();
    for field in ["type", "nearest"] {
        text = text.replace(&format!("\"{field}\":\"/"), &format!("\"{field}\":\"{path}/"));
    }
    let Some((before, rest)) = text.split_once("\"detail\":\"") else { return text };
    let Some((detail, after)) = rest.split_once("\",\"code\"") else { return text };
    let mut detail = detail.to_owned();
    for page in ["/api/", "/settings/", "/sudo"] {
        detail = detail.replace(&format!(" {page}"), &format!(" {path}{page}"));
    }
    format!("{before}\"detail\":\"{detail}\",\"code\"{after}")
}

/// A batch holds the problems of its operations. A user's text can't look like one: its quotes are escaped.
fn results(text: &str, path: &str) -> String {
    const TYPE: &str = "\"type\":\"";
    text.replace(&format!("{TYPE}/api/docs/errors#"), &format!("{TYPE}{path}/api/docs/errors#"))
}

/// Only inside tags, so that users' texts stay as they are.
fn html(text: &str, path: &str) -> String {
    let mut page = Page { rest: text, written: String::with_capacity(text.len() + text.len() / 8), path };
    while page.pass_until("<") {
        if page.rest.starts_with("!--") {
            page.pass_until("-->");
        } else if page.rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            page.tag();
        }
    }
    page.written
}

struct Page<'a> {
    rest: &'a str,
    written: String,
    path: &'a str,
}

impl<'a> Page<'a> {
    fn pass(&mut self, bytes: usize) -> &'a str {
        let (passed, rest) = self.rest.split_at(bytes);
        self.written.push_str(passed);
        self.rest = rest;
        passed
    }

    fn pass_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        self.pass(self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len()))
    }

    /// Passes this sign too; `false` when the page ends before it.
    fn pass_until(&mut self, sign: &str) -> bool {
        let found = self.rest.find(sign);
        self.pass(found.map_or(self.rest.len(), |at| at + sign.len()));
        found.is_some()
    }

    fn tag(&mut self) {
        self.pass_while(|c| !is_space(c) && c != '>' && c != '/');
        loop {
            self.pass_while(|c| is_space(c) || c == '/');
            let name = self.pass_while(|c| !is_space(c) && !matches!(c, '=' | '>' | '/'));
            self.pass_while(is_space);
            if self.rest.starts_with('=') {
                self.pass(1);
                self.pass_while(is_space);
                self.value(name);
            } else if name.is_empty() {
                self.pass(usize::from(self.rest.starts_with('>')));
                return;
            }
        }
    }

    fn value(&mut self, name: &str) {
        let quote = self.rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        self.pass(usize::from(quote.is_some()));
        if ADDRESSES.contains(&name) && self.rest.starts_with('/') && !self.rest.starts_with("//") {
            self.written.push_str(self.path);
        }
        match quote {
            Some(quote) => drop(self.pass_until(quote.encode_utf8(&mut [0; 4]))),
            None => drop(self.pass_while(|c| !is_space(c) && c != '>')),
        }
    }
}

fn is_space(c: char) -> bool {
    c.is_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_addresses_below_the_path() {
        let before = r#"{"results":[{"problem":{"type":"/api/docs/errors#x"}},{"title":"\"type\":\"/api/docs/errors#x"}]}"#;
        let after = r#"{"results":[{"problem":{"type":"/coffer/api/docs/errors#x"}},{"title":"\"type\":\"/api/docs/errors#x"}]}"#;
        assert_eq!(results(before, "/coffer"), after);
        let before = r#"{"type":"/api/docs/errors#x","detail":"Did you mean /api/v1/tags? Or /settings/tokens, a/b.","code":"x","nearest":"/api/v1/tags","current":{"body":"at /api/v1"}}"#;
        let after = r#"{"type":"/coffer/api/docs/errors#x","detail":"Did you mean /coffer/api/v1/tags? Or /coffer/settings/tokens, a/b.","code":"x","nearest":"/coffer/api/v1/tags","current":{"body":"at /api/v1"}}"#;
        assert_eq!(problem(before, "/coffer"), after);
    }

    #[test]
    fn addresses_in_tags_get_the_path_and_nothing_else_does() {
        for (before, after) in [
            (r#"<a href="/tags">x</a>"#, r#"<a href="/coffer/tags">x</a>"#),
            (r#"<a class=b href="/">"#, r#"<a class=b href="/coffer/">"#),
            ("<form method=post action='/logout'>", "<form method=post action='/coffer/logout'>"),
            ("<a href=/tags>x", "<a href=/coffer/tags>x"),
            ("<a\nhref = \"/tags\" title=\">\"/>", "<a\nhref = \"/coffer/tags\" title=\">\"/>"),
            (r#"<input disabled value="/tags">"#, r#"<input disabled value="/tags">"#),
            (r#"<a title='<a href="/x">' href="/y">"#, r#"<a title='<a href="/x">' href="/coffer/y">"#),
            (
                r#"<p>I write href="/x" &lt;a href="/x"&gt;</p>"#,
                r#"<p>I write href="/x" &lt;a href="/x"&gt;</p>"#,
            ),
            (r#"<a href="//cdn.example/x">"#, r#"<a href="//cdn.example/x">"#),
            (r#"<a href="https://a.example/">"#, r#"<a href="https://a.example/">"#),
            (r#"<!-- <a href="/x"> --><a href="/y">"#, r#"<!-- <a href="/x"> --><a href="/coffer/y">"#),
            ("Ü < 3 <b", "Ü < 3 <b"),
            (r#"<a href="/ü"#, r#"<a href="/coffer/ü"#),
            ("<a =\"/x\" href=", "<a =\"/x\" href="),
        ] {
            assert_eq!(html(before, "/coffer"), after);
        }
    }
}
