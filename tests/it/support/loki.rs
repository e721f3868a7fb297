//! A stand-in for Loki: healthy, slow, hung, refusing, or answering what the test says.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use loki_api::logproto::PushRequest;
use loki_api::prost::Message as _;
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
    stored: Mutex<Vec<(String, String)>>,
    authorization: Mutex<String>,
    woken: Notify,
}

impl Loki {
    pub async fn start() -> Self {
        Self::at(0).await
    }

    pub async fn at(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let shared = Arc::new(Shared { status: AtomicU16::new(204), ..Shared::default() });
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

    /// What the latest push said of its sender.
    pub fn authorization(&self) -> String {
        self.shared.authorization.lock().expect("no panic").clone()
    }

    /// The lines that were stored, with their labels.
    pub fn stored(&self) -> Vec<(String, String)> {
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
        let header = String::from_utf8_lossy(&bytes[..head]);
        let sender = header.lines().find_map(|line| line.strip_prefix("authorization: "));
        sender.unwrap_or_default().clone_into(&mut shared.authorization.lock().expect("no panic"));
        let header = header.to_lowercase();
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
        if status < 300 {
            store(&body, shared);
        }
        stream
            .write_all(format!("HTTP/1.1 {status} Stand-in\r\nContent-Length: 0\r\n\r\n").as_bytes())
            .await?;
    }
}

fn store(body: &[u8], shared: &Shared) {
    let body = snap::raw::Decoder::new().decompress_vec(body).expect("snappy");
    let pushed = PushRequest::decode(&*body).expect("a push");
    let mut stored = shared.stored.lock().expect("no panic");
    for stream in pushed.streams {
        for entry in stream.entries {
            let seconds = entry.timestamp.expect("a time").seconds;
            assert!(seconds > 1_000_000_000, "{seconds}");
            stored.push((stream.labels.clone(), entry.line));
        }
    }
}
