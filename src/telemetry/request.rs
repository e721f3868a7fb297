//! The request that a task works for, so that log lines have its id.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

tokio::task_local! {
    static CURRENT: Arc<Request>;
}

#[derive(Debug)]
pub struct Request {
    pub id: String,
    /// `GET /resources/{id}`
    pub route: String,
    /// Whether it has saved something, or may have.
    has_saved: AtomicBool,
}

impl Request {
    pub fn new(id: String, route: String) -> Self {
        Self { id, route, has_saved: AtomicBool::new(false) }
    }

    pub fn has_saved(&self) -> bool {
        self.has_saved.load(Ordering::Relaxed)
    }
}

/// A commit that the current request, if there is one, waits for.
pub struct Saving(Option<(Arc<Request>, bool)>);

pub fn saving() -> Saving {
    Saving(current().map(|request| {
        let before = request.has_saved.swap(true, Ordering::Relaxed);
        (request, before)
    }))
}

impl Saving {
    /// The commit certainly saved nothing.
    pub fn failed(self) {
        if let Some((request, before)) = self.0 {
            request.has_saved.store(before, Ordering::Relaxed);
        }
    }
}

/// What the work spawns is not part of the request.
pub fn within<T>(request: Arc<Request>, work: impl Future<Output = T>) -> impl Future<Output = T> {
    CURRENT.scope(request, work)
}

pub fn current() -> Option<Arc<Request>> {
    CURRENT.try_with(Clone::clone).ok()
}
