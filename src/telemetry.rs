//! Logs: JSON lines, or easy to read in a terminal.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// # Errors
/// A sentence when `COFFER_LOG` is no filter.
pub fn init(config: &Config) -> Result<(), String> {
    // The Redis client logs each lost connection many times over; `redis` says it once.
    let filter = EnvFilter::try_new(format!("fred=off,{}", config.log)).map_err(|e| {
        format!(
            "COFFER_LOG: {e}. Use error, warn, info, debug, trace, or a filter such as info,coffer=debug."
        )
    })?;
    let pretty = match config.log_format {
        LogFormat::Auto => std::io::stdout().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let logs = tracing_subscriber::fmt().with_env_filter(filter);
    if pretty {
        logs.compact().with_target(false).init();
    } else {
        logs.json().flatten_event(true).with_current_span(false).init();
    }
    Ok(())
}
