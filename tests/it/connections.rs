//! Connections that no one uses, or whose client takes nothing: each gives its place back.

use std::time::Duration;

use futures::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::support::app::App;
use crate::support::on_both_engines;

const LIMIT: Duration = Duration::from_secs(15);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: u8 = 4;
const HEADERS: u8 = 1;

fn place(app: &App) -> String {
    app.origin().replace("http://", "")
}

async fn connect(app: &App) -> TcpStream {
    let address = place(app).parse().expect("an address");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    timeout(LIMIT, socket.connect(address)).await.expect("in time").expect("coffer listens")
}

/// Everything up to the end of the connection, which must come in time.
async fn end(mut stream: TcpStream, who: &str) -> Vec<u8> {
    let mut heard = Vec::new();
    let ended = timeout(LIMIT, stream.read_to_end(&mut heard)).await;
    // A reset is an end too.
    let _ = ended.unwrap_or_else(|_| panic!("{who} keeps its place"));
    heard
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The beginning of a connection whose client makes room for so many bytes of each answer.
fn hello(window: u32) -> Vec<u8> {
    let mut settings = vec![0, 4];
    settings.extend(window.to_be_bytes());
    [PREFACE, &frame(SETTINGS, 0, 0, &settings)].concat()
}

/// `GET` in RFC 7541's static names and plain literals.
fn get(app: &App, stream: u32, path: &str) -> Vec<u8> {
    let literal = |index: u8, value: &str| {
        let length = u8::try_from(value.len()).expect("a short value");
        [&[index, length][..], value.as_bytes()].concat()
    };
    let fields = [vec![0x82, 0x86], literal(4, path), literal(1, &place(app))].concat();
    frame(HEADERS, 5, stream, &fields)
}

on_both_engines!(
    a_client_that_never_reads_gives_its_place_back,
    "--max-connections=2",
    "--request-timeout=1"
);
async fn a_client_that_never_reads_gives_its_place_back(app: App) {
    let asks = format!("GET /api/v1/openapi.json HTTP/1.1\r\nHost: {}\r\n\r\n", place(&app)).repeat(400);
    let mut deaf = Vec::new();
    for _ in 0..2 {
        let mut stream = connect(&app).await;
        let _ = timeout(Duration::from_millis(300), stream.write_all(asks.as_bytes())).await;
        deaf.push(stream);
    }
    timeout(LIMIT, app.visitor().get("/healthz").into_future()).await.expect("a place").ok();
    drop(deaf);
}

on_both_engines!(a_slow_reader_is_read_to_the_end, "--request-timeout=1", "--header-timeout=1");
async fn a_slow_reader_is_read_to_the_end(app: App) {
    let mut stream = connect(&app).await;
    let ask =
        format!("GET /api/v1/openapi.json HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", place(&app));
    stream.write_all(ask.as_bytes()).await.expect("coffer reads");
    let mut often = tokio::time::interval(Duration::from_millis(100));
    let (mut heard, mut part) = (Vec::new(), vec![0; 8 << 10]);
    loop {
        often.tick().await;
        let read = timeout(LIMIT, stream.read(&mut part)).await.expect("in time").expect("more of it");
        if read == 0 {
            break;
        }
        heard.extend_from_slice(&part[..read]);
    }
    let text = String::from_utf8(heard).expect("text");
    let (_, body) = text.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str::<serde_json::Value>(body).expect("all of it");
}

on_both_engines!(a_window_that_never_opens_is_not_waited_for, "--request-timeout=1", "--header-timeout=1");
async fn a_window_that_never_opens_is_not_waited_for(app: App) {
    for window in [0, 1, 20_000] {
        let mut stream = connect(&app).await;
        let asks = [hello(window), get(&app, 1, "/api/v1/openapi.json"), get(&app, 3, "/login")].concat();
        stream.write_all(&asks).await.expect("coffer reads");
        let heard = end(stream, &format!("a window of {window}")).await;
        assert!(heard.len() > 20, "it was answered: {}", heard.len());
    }
}

on_both_engines!(nobody_keeps_a_place_without_asking, "--request-timeout=2", "--header-timeout=1");
async fn nobody_keeps_a_place_without_asking(app: App) {
    let whole = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", place(&app)).into_bytes();
    let asked = [hello(65_535), get(&app, 1, "/healthz")].concat();
    // Headers that announce more of themselves, and never end.
    let endless = [hello(65_535), frame(HEADERS, 1, 1, &[0x82])].concat();
    let kept = [
        ("silence", Vec::new()),
        ("half a greeting", PREFACE[..10].to_vec()),
        ("a greeting", hello(65_535)),
        ("a header that never ends", b"GET / HTTP/1.1\r\nX:".to_vec()),
        ("HTTP/2 headers that never end", endless),
        ("HTTP/1 that was answered", whole),
        ("HTTP/2 that was answered", asked),
    ];
    // All at once, as each takes seconds.
    let ends = kept.map(async |(who, first)| {
        let mut stream = connect(&app).await;
        stream.write_all(&first).await.expect("coffer reads");
        end(stream, who).await;
    });
    join_all(ends).await;
}
