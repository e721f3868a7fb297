//! A person with a browser, or a program with that person's session: what they send.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use reqwest::Method;
use reqwest::header::{HeaderMap, SET_COOKIE};
use serde_json::Value;
use url::form_urlencoded;

use super::answer::Answer;
use super::app::{Node, PASSWORD};
use super::https::Site;
use super::transport::{Outgoing, Transport};

const BOUNDARY: &str = "----boundary-of-a-test";

/// Keeps cookies as a browser does. A clone is the same person with the same cookies.
#[derive(Clone)]
pub struct Actor {
    pub name: String,
    origin: String,
    transport: Transport,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Default)]
struct Memory {
    cookies: BTreeMap<String, String>,
    csrf: Option<String>,
    /// `GET /resources/{id}` for everything that was asked and not refused.
    reached: BTreeSet<String>,
}

/// Something that was saved, and where it is.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: String,
}

impl Entry {
    pub fn page(&self) -> String {
        format!("/resources/{}", self.id)
    }

    pub fn api(&self) -> String {
        format!("/api/v1/resources/{}", self.id)
    }
}

impl Actor {
    pub fn new(name: &str, node: &Node) -> Self {
        Self::at_origin(name, &node.origin(), node.http())
    }

    /// A visitor of a coffer that runs as a program of its own.
    pub fn at_origin(name: &str, origin: &str, http: reqwest::Client) -> Self {
        Self {
            name: name.to_owned(),
            origin: origin.to_owned(),
            transport: Transport::Plain(http),
            memory: Arc::default(),
        }
    }

    /// A visitor of a site with https.
    pub fn at_site(name: &str, site: &Site) -> Self {
        Self {
            name: name.to_owned(),
            origin: site.origin(),
            transport: Transport::Secure(site.clone()),
            memory: Arc::default(),
        }
    }

    /// The same person and the same cookies, sent to another node.
    pub fn at(&self, node: &Node) -> Self {
        Self { origin: node.origin(), ..self.clone() }
    }

    /// The same person and the same cookies, sent to a coffer that runs as a program of its own.
    pub fn at_address(&self, origin: &str) -> Self {
        Self { origin: origin.to_owned(), ..self.clone() }
    }

    /// Sends a change over whatever stands, to a server that may be gone before it answers.
    pub async fn tries(&self, method: Method, path: &str, body: Value) -> Result<(), String> {
        let outgoing = self.json(method, path, body).if_match("*").outgoing();
        self.transport.send(outgoing).await.map(drop)
    }

    /// The same cookies in another browser, which goes its own way from here.
    pub fn copied_cookies(&self) -> Self {
        let memory = self.memory.lock().unwrap();
        let memory =
            Memory { cookies: memory.cookies.clone(), csrf: memory.csrf.clone(), ..Memory::default() };
        Self { memory: Arc::new(Mutex::new(memory)), ..self.clone() }
    }

    /// The same person with a browser that is new to the site.
    pub fn without_cookies(&self) -> Self {
        Self { memory: Arc::default(), ..self.clone() }
    }

    pub async fn signs_in(&self) {
        let form = [("login", self.name.as_str()), ("password", PASSWORD)];
        self.post_form("/login", &form).await.redirects_to("/resources");
        self.learns_token().await;
    }

    /// Reads the session's form token, as a page holds it.
    pub async fn learns_token(&self) {
        let me = self.get("/api/v1/me").await.ok();
        self.memory.lock().unwrap().csrf = me.json()["csrf"].as_str().map(str::to_owned);
    }

    /// Scheme, host and port of the node that this person talks to.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.memory.lock().unwrap().cookies.get(name).cloned()
    }

    pub fn sets_cookie(&self, name: &str, value: &str) {
        self.memory.lock().unwrap().cookies.insert(name.to_owned(), value.to_owned());
    }

    pub fn token(&self) -> String {
        self.memory.lock().unwrap().csrf.clone().unwrap_or_default()
    }

    /// The routes, such as `GET /resources/{id}`, that have answered this person with 2xx or 3xx.
    pub fn reached(&self) -> BTreeSet<String> {
        self.memory.lock().unwrap().reached.clone()
    }

    pub async fn is_signed_in(&self) -> bool {
        self.get("/api/v1/me").await.status() == 200
    }

    pub fn get(&self, path: &str) -> Ask<'_> {
        Ask::new(self, Method::GET, path)
    }

    /// As the pages' own forms do it.
    pub fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Ask<'_> {
        let mut ask = Ask::new(self, Method::POST, path).by_own_page();
        let mut fields: Vec<_> = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        fields.push(("csrf".to_owned(), self.token()));
        ask.form = Some(fields);
        ask
    }

    /// As the pages' own scripts do it.
    pub fn json(&self, method: Method, path: &str, body: impl Into<Value>) -> Ask<'_> {
        self.sends(method, path, "application/json", body.into().to_string())
    }

    /// An unsafe request without a body.
    pub fn json_free(&self, method: Method, path: &str) -> Ask<'_> {
        Ask::new(self, method, path).by_own_page().header("x-csrf-token", self.token())
    }

    /// Any body under any content type, from our own page and with the token.
    pub fn sends(&self, method: Method, path: &str, kind: &str, body: impl Into<Vec<u8>>) -> Ask<'_> {
        let mut ask = self.json_free(method, path).header("content-type", kind);
        ask.body = body.into();
        ask
    }

    /// One file by the import form.
    pub fn uploads(&self, path: &str, file_name: &str, bytes: &[u8], fields: &[(&str, &str)]) -> Ask<'_> {
        let mut body = Vec::new();
        let token = self.token();
        for (name, value) in fields.iter().copied().chain([("csrf", token.as_str())]) {
            body.extend_from_slice(
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                    .as_bytes(),
            );
        }
        body.extend_from_slice(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file_name}\"\r\nContent-Type: text/html\r\n\r\n")
                .as_bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let mut ask = Ask::new(self, Method::POST, path)
            .by_own_page()
            .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
        ask.body = body;
        ask
    }

    /// Saves a resource through the API.
    pub async fn saves(&self, draft: Value) -> Entry {
        let saved = self.json(Method::POST, "/api/v1/resources", draft).await.is(201);
        Entry { id: saved.json()["id"].as_str().expect("an id").to_owned() }
    }

    fn remember(&self, headers: &HeaderMap) {
        let mut memory = self.memory.lock().unwrap();
        for line in headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok()) {
            let Some((name, value)) = line.split(';').next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            if line.contains("Max-Age=0") || value.is_empty() {
                memory.cookies.remove(name);
            } else {
                memory.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// A request before it is sent; `.await` sends it.
pub struct Ask<'a> {
    actor: &'a Actor,
    method: Method,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    form: Option<Vec<(String, String)>>,
    body: Vec<u8>,
    trouble: bool,
}

impl<'a> Ask<'a> {
    pub fn new(actor: &'a Actor, method: Method, path: &str) -> Self {
        Self {
            actor,
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            form: None,
            body: Vec::new(),
            trouble: false,
        }
    }

    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn by_own_page(self) -> Self {
        let origin = self.actor.origin.clone();
        self.header("sec-fetch-site", "same-origin").header("origin", &origin)
    }

    /// Sets a header, in place of one of the same name.
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let mut ask = self.without(name);
        ask.headers.push((name.to_owned(), value.as_ref().to_vec()));
        ask
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// The form's token, if it has one, becomes this.
    pub fn with_form_token(mut self, token: Option<&str>) -> Self {
        let fields = self.form.as_mut().expect("a form");
        fields.retain(|(name, _)| name != "csrf");
        fields.extend(token.map(|token| ("csrf".to_owned(), token.to_owned())));
        self
    }

    pub fn if_match(self, tag: &str) -> Self {
        self.header("if-match", tag)
    }

    pub fn by_htmx(self) -> Self {
        self.header("hx-request", "true")
    }

    /// A 5xx answer is expected here; anywhere else it ends the test.
    pub fn expecting_trouble(mut self) -> Self {
        self.trouble = true;
        self
    }

    fn outgoing(&self) -> Outgoing {
        let mut headers = self.headers.clone();
        let memory = self.actor.memory.lock().unwrap();
        let cookies: Vec<String> = memory.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        if !cookies.is_empty() && !headers.iter().any(|(name, _)| name == "cookie") {
            headers.push(("cookie".to_owned(), cookies.join("; ").into_bytes()));
        }
        let body = match &self.form {
            Some(fields) => {
                if !headers.iter().any(|(name, _)| name == "content-type") {
                    headers.push(("content-type".to_owned(), b"application/x-www-form-urlencoded".to_vec()));
                }
                form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
            }
            None => self.body.clone(),
        };
        Outgoing {
            method: self.method.clone(),
            origin: self.actor.origin.clone(),
            path: self.path.clone(),
            headers,
            body,
        }
    }

    async fn send(self) -> Answer {
        let what = format!("{}: {} {}", self.actor.name, self.method, self.path);
        let sent = self.actor.transport.send(self.outgoing()).await;
        let response = sent.unwrap_or_else(|error| panic!("{what}: {error}"));
        self.actor.remember(response.headers());
        if response.status().as_u16() < 400 {
            self.actor.memory.lock().unwrap().reached.insert(format!(
                "{} {}",
                self.method,
                route_of(&self.path)
            ));
        }
        let (parts, body) = response.into_parts();
        Answer::new(what, parts.status, parts.headers, body, self.trouble)
    }
}

impl<'a> IntoFuture for Ask<'a> {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// An address as the router writes it: ids, numbers and people replaced by their names, without the query.
pub fn route_of(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let segment = |part: &str| {
        if part.parse::<uuid::Uuid>().is_ok() {
            "{id}".to_owned()
        } else if part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            "{client}".to_owned()
        } else if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            "{version}".to_owned()
        } else {
            part.to_owned()
        }
    };
    let parts: Vec<_> = path.split('/').collect();
    let route: Vec<_> = (0..parts.len())
        .map(|at| match (at.checked_sub(1).map(|before| parts[before]), segment(parts[at])) {
            (Some("shares"), token) if token.len() == 22 => "{token}".to_owned(),
            (Some("u" | "users"), name) if !name.starts_with('{') => "{username}".to_owned(),
            (_, part) => part,
        })
        .collect();
    route.join("/")
}
