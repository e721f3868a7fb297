//! A network between coffer and a server that loses what the test tells it to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

const PASSES: u8 = 0;
/// Takes every connection and closes it at once.
const CLOSES: u8 = 1;
/// Passes a COMMIT on, and nothing back of that connection from then on.
const CUTS_COMMITS: u8 = 2;

#[derive(Default)]
struct Network {
    mode: AtomicU8,
    /// Connections of earlier generations lose everything.
    generation: AtomicU64,
}

pub struct Proxy {
    port: u16,
    network: Arc<Network>,
}

impl Proxy {
    /// Leads to this address.
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let network: Arc<Network> = Arc::default();
        tokio::spawn(accept(listener, target, network.clone()));
        Self { port, network }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Standing connections stay open and nothing goes through them any more; new ones work.
    pub fn swallow(&self) {
        self.network.generation.fetch_add(1, Ordering::SeqCst);
    }

    pub fn closes_at_once(&self) {
        self.network.mode.store(CLOSES, Ordering::SeqCst);
    }

    pub fn cuts_answers_to_commits(&self) {
        self.network.mode.store(CUTS_COMMITS, Ordering::SeqCst);
    }

    pub fn passes(&self) {
        self.network.mode.store(PASSES, Ordering::SeqCst);
    }
}

async fn accept(listener: TcpListener, target: String, network: Arc<Network>) {
    while let Ok((near, _)) = listener.accept().await {
        if network.mode.load(Ordering::SeqCst) == CLOSES {
            continue;
        }
        let Ok(far) = TcpStream::connect(&target).await else { continue };
        let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
        let line = Line { network: network.clone(), born: network.generation.load(Ordering::SeqCst) };
        let is_cut: Arc<AtomicU8> = Arc::default();
        tokio::spawn(line.clone().forth(near_in, far_out, is_cut.clone()));
        tokio::spawn(line.back(far_in, near_out, is_cut));
    }
}

#[derive(Clone)]
struct Line {
    network: Arc<Network>,
    born: u64,
}

impl Line {
    fn is_swallowed(&self) -> bool {
        self.network.generation.load(Ordering::SeqCst) != self.born
    }

    async fn forth(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, cut: Arc<AtomicU8>) {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let sent = &buffer[..length];
            let mode = self.network.mode.load(Ordering::SeqCst);
            if mode == CUTS_COMMITS && sent.windows(6).any(|word| word == b"COMMIT") {
                cut.store(1, Ordering::SeqCst);
            }
            if !self.is_swallowed() && to.write_all(sent).await.is_err() {
                break;
            }
        }
    }

    async fn back(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, cut: Arc<AtomicU8>) {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let is_lost = self.is_swallowed() || cut.load(Ordering::SeqCst) == 1;
            if !is_lost && to.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
        // The other side closed: without a word of it, if its words are lost.
        if self.is_swallowed() || cut.load(Ordering::SeqCst) == 1 {
            std::future::pending::<()>().await;
        }
    }
}
