//! What came back, and what a person says about it. Every assertion names the request when it fails.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use scraper::{ElementRef, Html, Selector};
use serde_json::Value;

/// Headers without which no answer may leave, whichever it is.
const ALWAYS: [&str; 2] = ["cache-control", "x-request-id"];
/// Those of an answer with content of its own.
const SECURE: [&str; 4] =
    ["content-security-policy", "x-content-type-options", "referrer-policy", "cross-origin-resource-policy"];
/// Those of an answer that a browser may show as a page.
const PAGE: [&str; 3] = ["x-frame-options", "cross-origin-opener-policy", "permissions-policy"];

#[derive(Clone, Debug)]
pub struct Answer {
    asked: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub fn new(asked: String, status: StatusCode, headers: HeaderMap, body: Vec<u8>, trouble: bool) -> Self {
        let answer = Self { asked, status, headers, body };
        answer.check(trouble || !status.is_server_error(), "no 5xx");
        let mut wanted = ALWAYS.to_vec();
        if answer.status != StatusCode::NOT_MODIFIED {
            wanted.extend(SECURE);
            wanted.extend(answer.is_page().then_some(PAGE).into_iter().flatten());
        }
        for name in wanted {
            answer.check(answer.headers.contains_key(name), &format!("the header {name}"));
        }
        answer
    }

    /// Whether a browser may show it as a page.
    pub fn is_page(&self) -> bool {
        let kind = self.header("content-type");
        kind.is_empty() || kind.starts_with("text/html")
    }

    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("JSON ({error}) wanted\n{self}"))
    }

    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The header's text, empty when there is none.
    pub fn header(&self, name: &str) -> String {
        self.headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default()
    }

    pub fn all_of_header(&self, name: &str) -> Vec<String> {
        let all = self.headers.get_all(name);
        all.iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        self.is(200)
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        self.check(self.status == status, &status.to_string());
        self
    }

    #[track_caller]
    pub fn redirects_to(self, place: &str) -> Self {
        self.check(self.status == 303 && self.header("location") == place, &format!("303 to {place}"));
        self
    }

    /// Some element that `css` selects shows `text`.
    #[track_caller]
    pub fn has(self, css: &str, text: &str) -> Self {
        let shown = self.texts(css);
        self.check(
            shown.iter().any(|shown| shown.contains(text)),
            &format!("{text:?} in {css}, not {shown:?}"),
        );
        self
    }

    /// No element is selected by `css`.
    #[track_caller]
    pub fn has_no(self, css: &str) -> Self {
        let shown = self.texts(css);
        self.check(shown.is_empty(), &format!("no {css}, not {shown:?}"));
        self
    }

    /// The form field of this name holds `value`.
    #[track_caller]
    pub fn holds(self, name: &str, value: &str) -> Self {
        let held = self.fields(name);
        self.check(
            held.iter().any(|held| held == value),
            &format!("{value:?} in the field {name}, not {held:?}"),
        );
        self
    }

    #[track_caller]
    pub fn text_has(self, text: &str) -> Self {
        self.check(self.text().contains(text), &format!("{text:?} somewhere"));
        self
    }

    #[track_caller]
    pub fn lacks(self, text: &str) -> Self {
        self.check(!self.text().contains(text), &format!("{text:?} nowhere"));
        self
    }

    #[track_caller]
    pub fn header_is(self, name: &str, value: &str) -> Self {
        let found = self.header(name);
        self.check(found == value, &format!("{name}: {value}, not {found:?}"));
        self
    }

    /// An error as the API tells every error (RFC 9457), with this code.
    #[track_caller]
    pub fn problem(self, code: &str) -> Self {
        self.check(self.header("content-type") == "application/problem+json", "problem+json");
        let problem = self.json();
        self.check(problem["code"] == code, &format!("the code {code}"));
        self.check(problem["status"] == self.status(), "the status in the body too");
        self.check(problem["title"].as_str() == self.status.canonical_reason(), "the status in words");
        let registered = "https://iana.org/assignments/http-problem-types#quota-exceeded";
        let catalogue = format!("/api/docs/errors#{code}");
        let kind = if self.status() == 429 { registered } else { &catalogue };
        self.check(problem["type"] == kind, kind);
        self.check(problem["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "a sentence");
        let id = problem["request_id"].as_str().unwrap_or_default();
        self.check(
            id.len() == 16 && id == self.header("x-request-id"),
            "the header's request id in the body too",
        );
        self
    }

    /// A 422 with a sentence for this field.
    #[track_caller]
    pub fn invalid(self, field: &str) -> Self {
        let answer = self.is(422).problem("invalid");
        let errors = answer.json()["errors"].clone();
        let named =
            errors.as_array().is_some_and(|errors| errors.iter().any(|error| error["field"] == field));
        answer.check(named, &format!("an error at {field}"));
        answer
    }

    /// An error page with a way out and the number that finds the request in the log.
    #[track_caller]
    pub fn error_page(self, status: u16) -> Self {
        let id = self.header("x-request-id");
        self.is(status).has("p.status", &status.to_string()).has("main code", &id)
    }

    /// What the selected elements show, white space squeezed.
    #[track_caller]
    pub fn texts(&self, css: &str) -> Vec<String> {
        self.select(css, |element| one_line(&element.text().collect::<String>()))
    }

    #[track_caller]
    pub fn attributes(&self, css: &str, name: &str) -> Vec<String> {
        self.select(css, |element| element.attr(name).map(str::to_owned)).into_iter().flatten().collect()
    }

    #[track_caller]
    pub fn inner_html(&self, css: &str) -> Vec<String> {
        self.select(css, |element| element.inner_html())
    }

    #[track_caller]
    fn fields(&self, name: &str) -> Vec<String> {
        let css =
            format!("input[name='{name}'], textarea[name='{name}'], select[name='{name}'] option[selected]");
        self.select(&css, |field| match (field.value().name(), field.attr("type")) {
            ("textarea", _) => {
                // The parser drops the line feed after the tag, as a browser does.
                Some(field.text().collect())
            }
            ("input", Some("radio" | "checkbox")) if field.attr("checked").is_none() => None,
            _ => field.attr("value").map(str::to_owned),
        })
        .into_iter()
        .flatten()
        .collect()
    }

    #[track_caller]
    fn select<T>(&self, css: &str, read: impl Fn(ElementRef<'_>) -> T) -> Vec<T> {
        let selector = Selector::parse(css).unwrap_or_else(|error| panic!("{css}: {error}"));
        Html::parse_document(&self.text()).select(&selector).map(read).collect()
    }

    #[track_caller]
    fn check(&self, holds: bool, wanted: &str) {
        assert!(holds, "wanted {wanted}\n{self}");
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_page = self.header("content-type").starts_with("text/html");
        let text = if is_page { self.texts("body").concat() } else { self.text() };
        let text: String = text.chars().take(3_000).collect();
        write!(f, "{} was answered {}\n{:?}\n{text}", self.asked, self.status, self.headers)
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
