//! The request that a task works for, so that what happens deep inside can be told with its id.

use std::sync::Arc;

tokio::task_local! {
    static CURRENT: Arc<Request>;
}

#[derive(Debug)]
pub struct Request {
    pub id: String,
    /// `GET /resources/{id}`
    pub route: String,
}

/// Runs the work as part of this request. What it spawns is not part of it.
pub async fn within<T>(request: Arc<Request>, work: impl Future<Output = T>) -> T {
    CURRENT.scope(request, work).await
}

#[must_use]
pub fn current() -> Option<Arc<Request>> {
    CURRENT.try_with(Clone::clone).ok()
}
