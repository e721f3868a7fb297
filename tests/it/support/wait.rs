//! Waiting for something that another process or task is about to do: the only sleep in the tests.

use std::fmt::Display;
use std::time::{Duration, Instant};

const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// Asks again and again until `probe` answers `Ok`; after `limit` its last error.
pub async fn eventually<T, E: Display>(
    limit: Duration,
    probe: impl AsyncFn() -> Result<T, E>,
) -> Result<T, String> {
    let started = Instant::now();
    let mut last = "no answer yet".to_owned();
    while let Some(left) = limit.checked_sub(started.elapsed()) {
        match tokio::time::timeout(left, probe()).await {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(reason)) => last = reason.to_string(),
            Err(_) => break,
        }
        #[expect(clippy::disallowed_methods, reason = "a pause between two looks, bounded by the limit")]
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    Err(format!("not within {limit:?}: {last}"))
}
