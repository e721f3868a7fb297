//! A stand-in for Loki: healthy, slow, hung, refusing, or answering what the test says.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Answers nothing, ever, on this number instead of a status.
pub const HUNG: u16 = 0;

pub struct Loki {
    pub address: std::net::SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    status: AtomicU16,
    largest: AtomicUsize,
    stored: Mutex<Vec<(Value, String)>>,
    woken: Notify,
}

impl Loki {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let shared = Arc::new(Shared {
            status: AtomicU16::new(204),
            largest: AtomicUsize::new(usize::MAX),
            ..Shared::default()
        });
        let serving = shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = serving.clone();
                tokio::spawn(async move {
                    let _ = serve(stream, &shared).await;
                });
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on every push is answered like this, those that hang too.
    pub fn answers(&self, status: u16) {
        self.shared.status.store(status, Ordering::SeqCst);
        self.shared.woken.notify_waiters();
    }

    /// Larger pushes are answered with 413.
    pub fn takes_at_most(&self, bytes: usize) {
        self.shared.largest.store(bytes, Ordering::SeqCst);
    }

    /// The lines that were stored, with their labels.
    pub fn stored(&self) -> Vec<(Value, String)> {
        self.shared.stored.lock().expect("no panic").clone()
    }

    /// The different lines that hold this.
    pub fn lines_with(&self, text: &str) -> BTreeSet<String> {
        self.stored().into_iter().map(|(_, line)| line).filter(|line| line.contains(text)).collect()
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
        };
        let header = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
        assert!(header.starts_with("post /loki/api/v1/push "), "{header}");
        let length =
            header.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let length: usize = length.expect("a length");
        while bytes.len() < head + length {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
        }
        let body: Vec<u8> = bytes.drain(..head + length).skip(head).collect();
        let status = loop {
            let woken = shared.woken.notified();
            let status = shared.status.load(Ordering::SeqCst);
            if status != HUNG {
                break status;
            }
            woken.await;
        };
        let status = if body.len() > shared.largest.load(Ordering::SeqCst) { 413 } else { status };
        if status < 300 {
            store(&body, shared);
        }
        stream
            .write_all(format!("HTTP/1.1 {status} Stand-in\r\nContent-Length: 0\r\n\r\n").as_bytes())
            .await?;
    }
}

fn store(body: &[u8], shared: &Shared) {
    let pushed: Value = serde_json::from_slice(body).expect("JSON");
    let mut stored = shared.stored.lock().expect("no panic");
    for stream in pushed["streams"].as_array().expect("streams") {
        for value in stream["values"].as_array().expect("values") {
            let nanos: u128 = value[0].as_str().and_then(|nanos| nanos.parse().ok()).expect("nanoseconds");
            assert!(nanos > 1_000_000_000_000_000_000, "{nanos}");
            stored.push((stream["stream"].clone(), value[1].as_str().expect("a line").to_owned()));
        }
    }
}
