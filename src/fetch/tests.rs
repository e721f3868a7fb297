//! The client against hostile servers. 127.0.0.1 stands for a public address, 127.0.0.2 for a private one.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use flate2::Compression;
use flate2::write::GzEncoder;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::resolver::Lookup;
use super::{FetchError, Fetcher, Request, TIME_LIMIT};

const OUTSIDE: &str = "127.0.0.1";
const INSIDE: &str = "127.0.0.2";

/// Sends the same bytes to all, and keeps their requests.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Then {
    Close,
    Stall,
}

impl Server {
    async fn start(address: &str, port: u16, reply: impl Into<Vec<u8>>, then: Then) -> Self {
        let listener = TcpListener::bind((address, port)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, reply) = (requests.clone(), Arc::new(reply.into()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, seen.clone(), reply.clone(), then));
            }
        });
        Self { port, requests }
    }

    async fn replying(reply: impl Into<Vec<u8>>) -> Self {
        Self::start(OUTSIDE, 0, reply, Then::Close).await
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{OUTSIDE}:{}{path}", self.port)).expect("a URL")
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().clone()
    }
}

async fn answer(mut stream: TcpStream, seen: Arc<Mutex<Vec<String>>>, reply: Arc<Vec<u8>>, then: Then) {
    let mut request = Vec::new();
    while !is_whole(&request) && stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {}
    seen.lock().push(String::from_utf8_lossy(&request).into_owned());
    // The client may have read enough and gone.
    let _ = stream.write_all(&reply).await;
    if then == Then::Stall {
        let _ = stream.read(&mut [0; 1]).await;
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().expect("a number"))
}

/// Answers each lookup with the next list, and the last one again.
struct Scripted(Mutex<VecDeque<Vec<IpAddr>>>);

#[async_trait]
impl Lookup for Scripted {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.0.lock().pop_front().ok_or_else(|| io::Error::other("asked too often"))
    }
}

fn fetcher_with(answers: &[&[&str]], time_limit: Duration) -> Fetcher {
    let parse = |address: &&str| address.parse().expect("an address");
    let answers = answers.iter().map(|list| list.iter().map(parse).collect()).collect();
    let allowed = [format!("{OUTSIDE}/32").parse().expect("a network")];
    Fetcher::with(&allowed, Arc::new(Scripted(Mutex::new(answers))), time_limit)
}

fn fetcher() -> Fetcher {
    fetcher_with(&[], TIME_LIMIT)
}

fn redirect_to(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n")
}

fn page(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

async fn error_of(fetcher: &Fetcher, url: Url) -> FetchError {
    fetcher.send(Request::get(url)).await.expect_err("an error")
}

#[tokio::test]
async fn redirects_lead_nowhere_private() {
    let inner = Server::start(INSIDE, 0, page("secret"), Then::Close).await;
    for (location, expected) in [
        (format!("http://{INSIDE}:{}/", inner.port), FetchError::Refused),
        ("http://169.254.169.254/latest/meta-data/".to_owned(), FetchError::Refused),
        ("http://[::ffff:127.0.0.2]/".to_owned(), FetchError::Refused),
        ("//0x7f000002/".to_owned(), FetchError::Refused),
        ("file:///etc/passwd".to_owned(), FetchError::Scheme),
    ] {
        let outer = Server::replying(redirect_to(&location)).await;
        assert_eq!(error_of(&fetcher(), outer.url("/")).await, expected, "{location}");
    }
    assert!(inner.requests().is_empty());
}

#[tokio::test]
async fn a_name_is_resolved_once_for_each_step() {
    let outer = Server::replying(page("outside")).await;
    let inner = Server::start(INSIDE, outer.port, page("inside"), Then::Close).await;
    let url = Url::parse(&format!("http://rebind.test:{}/", outer.port)).expect("a URL");

    let answer = fetcher_with(&[&[OUTSIDE]], TIME_LIMIT).send(Request::get(url.clone())).await.expect("200");
    assert_eq!(answer.body, b"outside");
    let mixed = fetcher_with(&[&[INSIDE, OUTSIDE]], TIME_LIMIT);
    assert_eq!(mixed.send(Request::get(url.clone())).await.expect("200").body, b"outside");
    assert_eq!(error_of(&fetcher_with(&[&[INSIDE]], TIME_LIMIT), url.clone()).await, FetchError::Refused);
    assert_eq!(error_of(&fetcher_with(&[], TIME_LIMIT), url).await, FetchError::Unresolved);

    let redirecting = Server::replying(redirect_to("/next")).await;
    let url = Url::parse(&format!("http://rebind.test:{}/", redirecting.port)).expect("a URL");
    let rebinding = fetcher_with(&[&[OUTSIDE], &[INSIDE]], TIME_LIMIT);
    assert_eq!(error_of(&rebinding, url).await, FetchError::Refused);
    assert!(inner.requests().is_empty());
}

#[tokio::test]
async fn five_redirects_are_followed() {
    let endless = Server::replying(redirect_to("/again")).await;
    assert_eq!(error_of(&fetcher(), endless.url("/")).await, FetchError::TooManyRedirects);
    assert_eq!(endless.requests().len(), 6);
    let elsewhere = Server::replying(page("here")).await;
    let first = Server::replying(redirect_to(elsewhere.url("/there").as_str())).await;
    let answer = fetcher().send(Request::get(first.url("/"))).await.expect("200");
    assert_eq!((answer.url, answer.body), (elsewhere.url("/there"), b"here".to_vec()));
}

#[tokio::test]
async fn a_request_says_who_asks_and_nothing_else() {
    let server = Server::replying(redirect_to("/next")).await;
    let mut url = server.url("/");
    url.set_username("ada").and_then(|()| url.set_password(Some("secret"))).expect("a URL with a host");
    error_of(&fetcher(), url).await;
    for request in server.requests() {
        let names: Vec<_> = request.lines().skip(1).filter_map(|line| line.split_once(": ")).collect();
        let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["accept", "user-agent", "accept-encoding", "host"], "{request}");
        assert!(request.contains("coffer/"), "{request}");
    }
}

#[tokio::test]
async fn a_stalling_server_is_left_in_time() {
    for reply in
        ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9223372036854775807\r\n\r\nabc"]
    {
        let server = Server::start(OUTSIDE, 0, reply, Then::Stall).await;
        let impatient = fetcher_with(&[], Duration::from_millis(200));
        assert_eq!(error_of(&impatient, server.url("/")).await, FetchError::TooSlow, "{reply}");
    }
}

#[tokio::test]
async fn broken_answers_are_errors() {
    for reply in [
        "",
        "\r\n\r\n",
        "SSH-2.0-OpenSSH_9.9\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 8\r\n\r\nno gzip!",
    ] {
        let server = Server::replying(reply).await;
        let error = error_of(&fetcher(), server.url("/")).await;
        assert!(matches!(error, FetchError::Failed(_)), "{reply}: {error:?}");
    }
    let longer = Server::replying("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcdef").await;
    assert_eq!(fetcher().send(Request::get(longer.url("/"))).await.expect("200").body, b"abc");
}

#[tokio::test]
async fn a_body_is_cut_at_one_mebibyte() {
    let endless = Server::replying(page(&format!("<title>{}", "a".repeat(50 << 20)))).await;
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        bomb.write_all(&vec![0; 1 << 20]).expect("memory");
    }
    let bomb = bomb.finish().expect("memory");
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len());
    let bomb = Server::replying([head.into_bytes(), bomb].concat()).await;
    for server in [endless, bomb] {
        let answer = fetcher().send(Request::get(server.url("/"))).await.expect("200");
        assert!(answer.is_cut);
        assert_eq!(answer.body.len(), 1 << 20);
    }
}

#[tokio::test]
async fn a_posted_body_goes_to_the_named_address_only() {
    let elsewhere = Server::replying(page("")).await;
    let hook = Server::replying(redirect_to(elsewhere.url("/").as_str())).await;
    let json = HeaderValue::from_static("application/json");
    let request = Request::post(hook.url("/hook"), r#"{"a":1}"#).header(CONTENT_TYPE, json);
    let answer = fetcher().send(request).await.expect("an answer");
    assert_eq!(answer.status, 302);
    let [sent] = &hook.requests()[..] else { panic!("one request") };
    assert!(sent.starts_with("POST /hook ") && sent.ends_with("\r\n\r\n{\"a\":1}"), "{sent}");
    assert!(elsewhere.requests().is_empty());
}
