//! A site of strangers' pages on loopback: what it serves, what it was asked, and how long it makes others wait.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

pub struct Pages {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    pages: Mutex<HashMap<String, Reply>>,
    requests: Mutex<Vec<String>>,
    /// A request takes one and gives it back.
    gate: Semaphore,
    at_once: Mutex<AtOnce>,
}

#[derive(Clone, Copy, Default)]
struct AtOnce {
    now: usize,
    most: usize,
}

#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Pages {
    pub async fn start() -> Self {
        let site = Self::closed().await;
        site.opens();
        site
    }

    /// Takes requests and answers none, until it opens.
    pub async fn closed() -> Self {
        let shared = Arc::new(Shared {
            pages: Mutex::default(),
            requests: Mutex::default(),
            gate: Semaphore::new(0),
            at_once: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().fallback(serve).with_state(shared.clone());
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = router.clone().map_request(|request: hyper::Request<_>| request.map(Body::new));
                let service = TowerToHyperService::new(service);
                // Clients go away when they have read enough.
                tokio::spawn(async move {
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, shared, serving }
    }

    pub fn opens(&self) {
        self.shared.gate.add_permits(1_000);
    }

    pub fn has(&self, path: &str, body: impl Into<Vec<u8>>) {
        let headers = vec![("content-type", "text/html; charset=utf-8".to_owned())];
        self.replies(path, Reply { status: 200, headers, body: body.into() });
    }

    pub fn replies(&self, path: &str, reply: Reply) {
        self.shared.pages.lock().unwrap().insert(path.to_owned(), reply);
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Method and path of each.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The same, and begins anew.
    pub fn forgets_requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.requests.lock().unwrap())
    }

    pub fn waiting(&self) -> usize {
        self.shared.at_once.lock().unwrap().now
    }

    pub fn most_at_once(&self) -> usize {
        self.shared.at_once.lock().unwrap().most
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    shared.requests.lock().unwrap().push(format!("{} {path}", request.method()));
    let waiting = shared.enters();
    let permit = shared.gate.acquire().await.expect("an open gate");
    drop((permit, waiting));
    let reply = shared.pages.lock().unwrap().get(&path).cloned();
    let reply = reply.unwrap_or(Reply { status: 404, headers: Vec::new(), body: Vec::new() });
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).expect("a status");
    for (name, value) in reply.headers {
        response.headers_mut().insert(name, value.parse().expect("a header"));
    }
    response
}

impl Shared {
    fn enters(&self) -> Waiting<'_> {
        let mut at_once = self.at_once.lock().unwrap();
        at_once.now += 1;
        at_once.most = at_once.most.max(at_once.now);
        Waiting(self)
    }
}

/// A request that waits at the gate, until it passes or its client goes away.
struct Waiting<'a>(&'a Shared);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.at_once.lock().unwrap().now -= 1;
    }
}
