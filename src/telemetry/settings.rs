//! Where `/metrics` is served, and who may read it.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use clap::Args;
use secrecy::SecretString;

/// Where OpenTelemetry's exporters for Prometheus listen.
const METRICS_PORT: u16 = 9464;

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Metrics")]
pub struct MetricsSettings {
    /// Address and port of /metrics for Prometheus, separate from the pages; `off` for none.
    /// [default: 127.0.0.1:9464, or none where that is taken]
    #[arg(long, env = "COFFER_METRICS_ADDRESS")]
    pub metrics_address: Option<MetricsAddress>,

    /// Bearer token that a scraper must send; without it, anyone who can reach the address can read the metrics.
    #[arg(long, env = "COFFER_METRICS_TOKEN", hide_env_values = true)]
    pub metrics_token: Option<SecretString>,
}

impl MetricsSettings {
    pub fn listen(&self) -> MetricsAddress {
        let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, METRICS_PORT));
        self.metrics_address.unwrap_or(MetricsAddress::At(usual))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsAddress {
    Off,
    At(SocketAddr),
}

impl FromStr for MetricsAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        text.parse()
            .map(Self::At)
            .map_err(|_| "use an address and port such as 127.0.0.1:9464, or off".to_owned())
    }
}

impl fmt::Display for MetricsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::At(address) => write!(f, "{address}"),
        }
    }
}
