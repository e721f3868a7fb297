//! Goes on with imports and changes of many entries whose node stopped in the middle.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::Resources;

/// A job that has made no step for so long has lost its node.
pub const ABANDONED: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_secs(10);

impl Resources {
    /// Looks for stopped jobs until the program ends.
    pub async fn maintain_jobs(&self) {
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.resume_imports().await {
                tracing::warn!(?error, "imports that stopped could not go on");
            }
            if let Err(error) = self.resume_bulk().await {
                tracing::warn!(?error, "changes of many entries that stopped could not go on");
            }
        }
    }
}
