//! The time that one request may wait in all: for Redis, a connection, another request's load. Each wait has a limit too.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

pub const LIMIT: Duration = Duration::from_secs(3);

tokio::task_local! {
    static LEFT: Cell<Duration>;
}

/// Runs a request. Tasks that it spawns are not limited.
pub fn limited<F: Future>(request: F) -> impl Future<Output = F::Output> {
    LEFT.scope(Cell::new(LIMIT), request)
}

/// Runs long work of a request, such as an import, without the shared limit.
pub fn patient<F: Future>(work: F) -> impl Future<Output = F::Output> {
    LEFT.scope(Cell::new(Duration::MAX), work)
}

/// The time that the current request has left; unlimited outside of a request.
pub fn left() -> Duration {
    LEFT.try_with(Cell::get).unwrap_or(Duration::MAX)
}

pub async fn within<T>(wait: impl Future<Output = T>) -> Result<T, Elapsed> {
    match left() {
        Duration::MAX => Ok(wait.await),
        left => timeout(left, counted(wait)).await,
    }
}

/// Waits without a limit, and subtracts the time from what is left.
pub async fn counted<T>(wait: impl Future<Output = T>) -> T {
    let _waiting = Waiting(Instant::now());
    wait.await
}

/// Subtracts the time when it is dropped, also when the wait was cancelled.
struct Waiting(Instant);

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = LEFT.try_with(|left| left.set(left.get().saturating_sub(self.0.elapsed())));
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn waits_come_out_of_one_limit() {
        let request = async {
            LEFT.with(|left| left.set(Duration::from_millis(60)));
            assert!(within(async {}).await.is_ok());
            assert!(timeout(Duration::from_millis(40), within(pending::<()>())).await.is_err());
            assert!(left() <= Duration::from_millis(20), "{:?}", left());
            assert!(within(pending::<()>()).await.is_err());
            assert!(left().is_zero() && within(pending::<()>()).await.is_err());
        };
        limited(request).await;
    }

    #[tokio::test]
    async fn what_no_request_waits_for_has_its_time() {
        assert_eq!(left(), Duration::MAX);
        assert_eq!(within(async { 7 }).await.ok(), Some(7));
        assert_eq!(limited(async { tokio::spawn(async { left() }).await.ok() }).await, Some(Duration::MAX));
    }
}
