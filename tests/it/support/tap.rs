//! A way to a server that the test can cut, slow down or silence, while the server itself goes on for everyone else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// Between the clients of its port and one server.
pub struct Tap {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// What goes to the server arrives so many milliseconds later.
    delay: AtomicU64,
    /// How many times the subscribers were made deaf: a connection that subscribed before brings nothing any more.
    deafened: AtomicU64,
}

impl Tap {
    /// To a server at `127.0.0.1:…`.
    pub async fn before(server: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let (state, server) = (Arc::<State>::default(), server.to_owned());
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(&server).await else { continue };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                let subscribes = Arc::<AtomicBool>::default();
                tokio::spawn(to_server((near_in, far_out), shared.clone(), subscribes.clone()));
                tokio::spawn(to_client((far_in, near_out), shared.clone(), subscribes));
            }
        });
        Self { port, state }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn delay(&self, delay: Duration) {
        self.state.delay.store(u64::try_from(delay.as_millis()).expect("a short time"), Ordering::SeqCst);
    }

    /// The connections that subscribe stay open and silent; new ones are well.
    pub fn deafen_subscribers(&self) {
        self.state.deafened.fetch_add(1, Ordering::SeqCst);
    }
}

async fn to_server(
    (mut from, mut to): (OwnedReadHalf, OwnedWriteHalf),
    state: Arc<State>,
    subscribes: Arc<AtomicBool>,
) {
    let mut buffer = vec![0; 64 << 10];
    // Each arrives so much later, whatever else is on its way.
    let (sender, mut coming) = tokio::sync::mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((due, bytes)) = coming.recv().await {
            let _ = tokio::time::timeout_at(due, std::future::pending::<()>()).await;
            if to.write_all(&bytes).await.is_err() {
                break;
            }
        }
    });
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if buffer[..length].windows(9).any(|word| word.eq_ignore_ascii_case(b"SUBSCRIBE")) {
            subscribes.store(true, Ordering::SeqCst);
        }
        let due = Instant::now() + Duration::from_millis(state.delay.load(Ordering::SeqCst));
        if sender.send((due, buffer[..length].to_vec())).is_err() {
            break;
        }
    }
}

async fn to_client(
    (mut from, mut to): (OwnedReadHalf, OwnedWriteHalf),
    state: Arc<State>,
    subscribes: Arc<AtomicBool>,
) {
    let before = state.deafened.load(Ordering::SeqCst);
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let deaf = subscribes.load(Ordering::SeqCst) && state.deafened.load(Ordering::SeqCst) > before;
        if !deaf && to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
}
