//! The settings for what coffer fetches.

use clap::{Args, ValueEnum};
use ipnet::IpNet;

use crate::client_ip::network;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Fetching")]
pub struct FetchSettings {
    /// Fetch the title, description and icon of links that are saved without a title, and send webhooks.
    #[arg(long, env = "COFFER_FETCH", default_value = "on")]
    pub fetch: Switch,

    /// Check from time to time whether saved links still work, slowly and from this server.
    #[arg(long, env = "COFFER_CHECK_LINKS", default_value = "off")]
    pub check_links: Switch,

    /// Private networks from which fetching is allowed: addresses or networks, separated by commas.
    #[arg(long, env = "COFFER_FETCH_ALLOW", value_delimiter = ',', value_parser = network)]
    pub fetch_allow: Vec<IpNet>,
}
