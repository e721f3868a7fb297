//! How connections to Redis are made: the address, time limits, and the count of new connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use fred::prelude::*;
use fred::types::config::{CredentialProvider, UnresponsiveConfig};

/// fred asks for credentials before it uses a new connection, so no answer comes over one that was not counted.
#[derive(Debug)]
pub(super) struct EpochCounter {
    pub connection_epoch: Arc<AtomicU64>,
    pub username: Option<String>,
    pub password: Option<String>,
}

#[async_trait]
impl CredentialProvider for EpochCounter {
    async fn fetch(&self, _: Option<&Server>) -> Result<(Option<String>, Option<String>), Error> {
        self.connection_epoch.fetch_add(1, Ordering::AcqRel);
        Ok((self.username.clone(), self.password.clone()))
    }
}

pub(super) fn bad_url(error: &fred::error::Error) -> String {
    format!(
        "COFFER_REDIS_URL is not a Redis address ({error}). Use redis://host:6379, or rediss://… for TLS."
    )
}

pub(super) fn parse(url: &str) -> Result<Config, String> {
    if !url.starts_with("redis") {
        return Err(bad_url(&fred::error::Error::new(ErrorKind::Url, "another scheme")));
    }
    Config::from_url(url).map_err(|e| bad_url(&e))
}

pub(super) fn builder(config: Config) -> Builder {
    let mut builder = Builder::from_config(config);
    builder
        .with_connection_config(|connection| {
            connection.connection_timeout = Duration::from_secs(2);
            connection.internal_command_timeout = Duration::from_secs(2);
            connection.max_command_attempts = 1;
            connection.unresponsive = UnresponsiveConfig {
                max_timeout: Some(Duration::from_secs(2)),
                interval: Duration::from_secs(1),
            };
        })
        .with_performance_config(|performance| {
            // Each caller has its own limit. A second timer would cost time, and could be the shorter one.
            performance.default_command_timeout = Duration::ZERO;
            performance.max_feed_count = 200;
        });
    builder
}
