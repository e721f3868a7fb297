//! How long one request may wait in all: for Redis, for a connection, for what others load. Each of them has a limit of
//! its own; together they come out of one, or they would add up.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

/// All waits of a request together.
pub const LIMIT: Duration = Duration::from_secs(3);

tokio::task_local! {
    static LEFT: Cell<Duration>;
}

/// Runs a request; what it spawns waits on its own.
pub async fn limited<F: Future>(request: F) -> F::Output {
    LEFT.scope(Cell::new(LIMIT), request).await
}

/// Runs work of a request that is known to take long, as an import does: each of its waits has its own limit alone.
pub async fn patient<F: Future>(work: F) -> F::Output {
    LEFT.scope(Cell::new(Duration::MAX), work).await
}

/// What is left to the current request; everything for work that no request waits for.
pub fn left() -> Duration {
    LEFT.try_with(Cell::get).unwrap_or(Duration::MAX)
}

/// Waits, for as long as the request has left.
pub async fn within<T>(wait: impl Future<Output = T>) -> Result<T, Elapsed> {
    match left() {
        Duration::MAX => Ok(wait.await),
        left => timeout(left, counted(wait)).await,
    }
}

/// Waits as long as it takes, and takes that from what is left.
pub async fn counted<T>(wait: impl Future<Output = T>) -> T {
    let _waiting = Waiting(Instant::now());
    wait.await
}

/// Counts also when nobody waits any more.
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
