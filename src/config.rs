//! Configuration: the doc comment of a field is its manual; `coffer serve --help` prints them all.

#![expect(clippy::doc_markdown, reason = "the doc comments are the manual that clap prints")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, ArgMatches, Args, Command};
use secrecy::SecretString;
use url::Url;

use crate::accounts::policy::AccountSettings;
use crate::client_ip::ClientSettings;
use crate::db::DatabaseSettings;
use crate::fetch::{FetchSettings, Switch};
use crate::keys::KeySource;
use crate::limiter::settings::Settings as RateLimit;
use crate::mail::MailSettings;
use crate::telemetry::logs::LogSettings;
use crate::telemetry::settings::MetricsSettings;
use crate::tls::TlsSettings;
use crate::web::cors::CorsSettings;

/// Names that other software uses for the same thing, honoured when ours is absent.
pub const ALIASES: [(&str, &str); 3] =
    [("DATABASE_URL", "COFFER_DATABASE_URL"), ("REDIS_URL", "COFFER_REDIS_URL"), ("PORT", "COFFER_PORT")];

#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Address to listen on. 127.0.0.1 is this machine only; 0.0.0.0 is all its networks.
    #[arg(long, env = "COFFER_HOST", default_value = "127.0.0.1", help_heading = "Serving")]
    pub host: IpAddr,

    /// Port to listen on; 0 picks a free one.
    #[arg(long, env = "COFFER_PORT", default_value_t = 3000, help_heading = "Serving")]
    pub port: u16,

    /// The address at which people reach coffer, with its path if it has one; links and cookies depend on it.
    /// [default: http://localhost:PORT]
    #[arg(long, env = "COFFER_BASE_URL", help_heading = "Serving")]
    pub base_url: Option<Url>,

    /// Tell search engines of the public pages, by robots.txt and sitemap.xml. off: ask them to stay away.
    #[arg(long, env = "COFFER_SEARCH_ENGINES", default_value = "on", help_heading = "Serving")]
    pub search_engines: Switch,

    /// Maximum number of open connections; further ones wait in the system's queue.
    #[arg(long, env = "COFFER_MAX_CONNECTIONS", default_value_t = 10_000, help_heading = "Serving")]
    pub max_connections: usize,

    /// Seconds that one request may take, including its body; also closes connections to clients that stop
    /// reading the response.
    #[arg(long, env = "COFFER_REQUEST_TIMEOUT", default_value_t = 30, help_heading = "Serving")]
    pub request_timeout: u64,

    /// Seconds that a client may take to send the request header; also the limit for idle connections.
    #[arg(long, env = "COFFER_HEADER_TIMEOUT", default_value_t = 10, help_heading = "Serving")]
    pub header_timeout: u64,

    /// Seconds that requests in flight have to finish when coffer is told to stop, including COFFER_DRAIN_SECONDS.
    #[arg(long, env = "COFFER_STOP_TIMEOUT", default_value_t = 8, help_heading = "Serving")]
    pub stop_timeout: u64,

    /// Seconds that coffer keeps serving after it is told to stop, while it reports that it is not ready, so that a proxy can redirect visitors.
    /// [default: 2 with COFFER_TRUSTED_PROXIES, else 0]
    #[arg(long, env = "COFFER_DRAIN_SECONDS", help_heading = "Serving",
          value_parser = clap::value_parser!(u64).range(0..=600))]
    pub drain_seconds: Option<u64>,

    #[command(flatten)]
    pub client: ClientSettings,

    #[command(flatten)]
    pub cors: CorsSettings,

    #[command(flatten)]
    pub tls: TlsSettings,

    /// true: tell browsers to use https for all subdomains of the base URL's host too.
    #[arg(long, env = "COFFER_HSTS_SUBDOMAINS", default_value_t = false, num_args = 0..=1,
          default_missing_value = "true", action = ArgAction::Set, help_heading = "Serving")]
    pub hsts_subdomains: bool,

    /// Largest import file, in MiB.
    #[arg(long, env = "COFFER_IMPORT_LIMIT", default_value_t = 32, help_heading = "Serving")]
    pub import_limit: usize,

    /// Directory for the database file and the key; created if missing.
    #[arg(long, env = "COFFER_DATA_DIR", default_value = "data", help_heading = "Storage")]
    pub data_dir: PathBuf,

    #[command(flatten)]
    pub database: DatabaseSettings,

    /// redis://host:6379 or rediss://… (TLS). Without it, sessions are read from the database.
    #[arg(long, env = "COFFER_REDIS_URL", hide_env_values = true, help_heading = "Storage")]
    pub redis_url: Option<SecretString>,

    /// Memory for the cache, in MiB.
    #[arg(long, env = "COFFER_CACHE_MEMORY", default_value_t = 32, help_heading = "Storage",
          value_parser = clap::value_parser!(u64).range(1..=65_536))]
    pub cache_memory: u64,

    /// 32 bytes as 64 hex digits, the same on every node. [default: made on first start in DATA_DIR/secret.key]
    #[arg(long, env = "COFFER_SECRET_KEY", hide_env_values = true, help_heading = "Accounts")]
    pub secret_key: Option<SecretString>,

    #[command(flatten)]
    pub accounts: AccountSettings,

    #[command(flatten)]
    pub mail: MailSettings,

    #[command(flatten)]
    pub rate_limit: RateLimit,

    #[command(flatten)]
    pub fetching: FetchSettings,

    #[command(flatten)]
    pub logs: LogSettings,

    #[command(flatten)]
    pub metrics: MetricsSettings,
}

impl Config {
    pub fn key_source(&self) -> KeySource<'_> {
        KeySource { secret: self.secret_key.as_ref(), dir: &self.data_dir }
    }

    pub fn listen(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    /// It holds the password.
    pub fn database(&self) -> String {
        let file = || format!("sqlite:{}", self.data_dir.join("coffer.db").display());
        self.database.url().unwrap_or_else(file)
    }

    /// How long coffer keeps serving after the stop signal.
    pub fn drain(&self) -> Duration {
        let usual = if self.client.trusted_proxies.is_empty() { 0 } else { 2 };
        Duration::from_secs(self.drain_seconds.unwrap_or(usual))
    }

    /// By the `COFFER_` names, with defaults, secrets masked.
    pub fn effective(&self, given: &ArgMatches) -> BTreeMap<String, String> {
        let command = Self::augment_args(Command::new("coffer"));
        let settings = command.get_arguments().filter_map(|setting| {
            let name = setting.get_env()?.to_str()?;
            let values = given.get_raw(setting.get_id().as_str());
            let text = |value: &OsStr| value.to_string_lossy().trim().to_owned();
            let value = match values {
                Some(_) if setting.is_hide_env_values_set() => "(set, hidden)".to_owned(),
                Some(values) => values.map(text).collect::<Vec<_>>().join(","),
                None => self.computed(name).unwrap_or_else(|| "(not set)".to_owned()),
            };
            Some((name.to_owned(), value))
        });
        settings.collect()
    }

    /// The default of a setting that depends on other settings.
    fn computed(&self, name: &str) -> Option<String> {
        match name {
            "COFFER_BASE_URL" => Some(format!("http://localhost:{}", self.port)),
            "COFFER_DATABASE_URL" => Some(self.database()),
            "COFFER_DRAIN_SECONDS" => Some(self.drain().as_secs().to_string()),
            "COFFER_METRICS_ADDRESS" => Some(self.metrics.listen().to_string()),
            "COFFER_TRUSTED_PROXIES" | "COFFER_CORS_ORIGINS" | "COFFER_FETCH_ALLOW" => Some(String::new()),
            _ => None,
        }
    }
}
