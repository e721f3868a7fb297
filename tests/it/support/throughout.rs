//! Watching for something that must not happen.

use std::time::{Duration, Instant};

/// Probes for all of this time, with pauses that leave the processor to other tests.
pub async fn throughout(time: Duration, probe: impl AsyncFn()) {
    let until = Instant::now() + time;
    let mut often = tokio::time::interval(Duration::from_millis(20));
    while Instant::now() < until {
        often.tick().await;
        probe().await;
    }
}
