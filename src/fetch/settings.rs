//! The settings for what coffer fetches.

use clap::{Args, ValueEnum};
use ipnet::IpNet;

use crate::client_ip::network;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

impl Switch {
    #[must_use]
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Fetching")]
pub struct FetchSettings {
    /// Fetch the title, description and icon of links that are saved without a title.
    #[arg(long, env = "COFFER_FETCH", default_value = "on")]
    pub fetch: Switch,

    /// Private networks that may be fetched from all the same: addresses or networks, with commas between.
    #[arg(long, env = "COFFER_FETCH_ALLOW", value_delimiter = ',', value_parser = network)]
    pub fetch_allow: Vec<IpNet>,
}
