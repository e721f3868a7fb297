//! Configuration: the doc comment of a field is its manual; `coffer serve --help` prints them all.

#![expect(clippy::doc_markdown, reason = "the doc comments are the manual that clap prints")]

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};
use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::accounts::{Member, Role};
use crate::limiter::settings::Settings as RateLimit;
use crate::web::client::{self, ProxyHeader};

/// `_FILE` after one of these names a file that holds the value.
pub const SECRETS: [&str; 6] = [
    "COFFER_DATABASE_URL",
    "COFFER_LOKI_URL",
    "COFFER_METRICS_TOKEN",
    "COFFER_REDIS_URL",
    "COFFER_SECRET_KEY",
    "COFFER_SMTP_URL",
];

/// Names that other software uses for the same thing, honoured when ours is absent.
pub const ALIASES: [(&str, &str); 3] =
    [("DATABASE_URL", "COFFER_DATABASE_URL"), ("REDIS_URL", "COFFER_REDIS_URL"), ("PORT", "COFFER_PORT")];

/// Where OpenTelemetry's exporters for Prometheus listen.
const METRICS_PORT: u16 = 9464;

#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Address to listen on. 127.0.0.1 is this machine only; 0.0.0.0 is every network it has.
    #[arg(long, env = "COFFER_HOST", default_value = "127.0.0.1", help_heading = "Serving")]
    pub host: IpAddr,

    /// Port to listen on; 0 takes a free one.
    #[arg(long, env = "COFFER_PORT", default_value_t = 3000, help_heading = "Serving")]
    pub port: u16,

    /// Where people reach coffer, as they type it: links in pages and cookies follow from it.
    /// [default: http://localhost:PORT]
    #[arg(long, env = "COFFER_BASE_URL", help_heading = "Serving")]
    pub base_url: Option<Url>,

    /// Connections held open at once; more wait in the system's queue.
    #[arg(long, env = "COFFER_MAX_CONNECTIONS", default_value_t = 10_000, help_heading = "Serving")]
    pub max_connections: usize,

    /// Seconds that one request may take, its body included; a client that takes nothing of its answer for as long is
    /// hung up on.
    #[arg(long, env = "COFFER_REQUEST_TIMEOUT", default_value_t = 30, help_heading = "Serving")]
    pub request_timeout: u64,

    /// Seconds in which a client must have sent its request's header; also ends idle connections.
    #[arg(long, env = "COFFER_HEADER_TIMEOUT", default_value_t = 10, help_heading = "Serving")]
    pub header_timeout: u64,

    /// Seconds until coffer ends when it is told to stop, COFFER_DRAIN_SECONDS included: requests in flight have so long.
    #[arg(long, env = "COFFER_STOP_TIMEOUT", default_value_t = 8, help_heading = "Serving")]
    pub stop_timeout: u64,

    /// Seconds that coffer, told to stop, is not ready but still serves, so that a proxy can send people elsewhere.
    /// [default: 2 with COFFER_TRUSTED_PROXIES, else 0]
    #[arg(long, env = "COFFER_DRAIN_SECONDS", help_heading = "Serving",
          value_parser = clap::value_parser!(u64).range(0..=600))]
    pub drain_seconds: Option<u64>,

    /// Proxies whose word about the visitor's address is believed: addresses or networks, with commas between.
    #[arg(long, env = "COFFER_TRUSTED_PROXIES", value_delimiter = ',', value_parser = client::network,
          help_heading = "Serving")]
    pub trusted_proxies: Vec<IpNet>,

    /// The one header in which those proxies name it; they must replace or extend what a visitor sends.
    #[arg(long, env = "COFFER_PROXY_HEADER", default_value = "x-forwarded-for", help_heading = "Serving")]
    pub proxy_header: ProxyHeader,

    /// true: browsers are told to use https for all subdomains of the base URL's host too.
    #[arg(long, env = "COFFER_HSTS_SUBDOMAINS", default_value_t = false, num_args = 0..=1,
          default_missing_value = "true", action = ArgAction::Set, help_heading = "Serving")]
    pub hsts_subdomains: bool,

    /// Largest import file, in MiB.
    #[arg(long, env = "COFFER_IMPORT_LIMIT", default_value_t = 32, help_heading = "Serving")]
    pub import_limit: usize,

    /// Directory for the database file and the key; made when it is missing.
    #[arg(long, env = "COFFER_DATA_DIR", default_value = "data", help_heading = "Storage")]
    pub data_dir: PathBuf,

    /// postgres://user:password@host/name, or sqlite:PATH. [default: sqlite:DATA_DIR/coffer.db]
    #[arg(long, env = "COFFER_DATABASE_URL", hide_env_values = true, help_heading = "Storage")]
    pub database_url: Option<SecretString>,

    /// Database connections of this process.
    #[arg(long, env = "COFFER_DATABASE_CONNECTIONS", default_value_t = 10, help_heading = "Storage")]
    pub database_connections: u32,

    /// redis://host:6379 or rediss://… (TLS). Without it sessions are read from the database.
    #[arg(long, env = "COFFER_REDIS_URL", hide_env_values = true, help_heading = "Storage")]
    pub redis_url: Option<SecretString>,

    /// Memory for what is read often, in MiB.
    #[arg(long, env = "COFFER_CACHE_MEMORY", default_value_t = 64, help_heading = "Storage",
          value_parser = clap::value_parser!(u64).range(1..=65_536))]
    pub cache_memory: u64,

    /// 32 bytes as 64 hex digits, the same on every node. [default: made on first start in DATA_DIR/secret.key]
    #[arg(long, env = "COFFER_SECRET_KEY", hide_env_values = true, help_heading = "Accounts")]
    pub secret_key: Option<SecretString>,

    /// Who may make an account.
    #[arg(long, env = "COFFER_SIGNUP", default_value = "invite", help_heading = "Accounts")]
    pub signup: Signup,

    /// Days without a visit after which a session ends.
    #[arg(long, env = "COFFER_SESSION_IDLE_DAYS", default_value_t = 7, help_heading = "Accounts",
          value_parser = clap::value_parser!(u32).range(1..=365))]
    pub session_idle_days: u32,

    /// Days after which a session ends whatever happened.
    #[arg(long, env = "COFFER_SESSION_MAX_DAYS", default_value_t = 30, help_heading = "Accounts",
          value_parser = clap::value_parser!(u32).range(1..=365))]
    pub session_max_days: u32,

    /// Days that a device stays signed in by "keep me signed in", and a program by its refresh token.
    #[arg(long, env = "COFFER_STAY_DAYS", default_value_t = 90, help_heading = "Accounts",
          value_parser = clap::value_parser!(u32).range(1..=365))]
    pub stay_days: u32,

    /// Who must log in with a code from an authenticator app besides the password.
    #[arg(long, env = "COFFER_REQUIRE_2FA", default_value = "off", help_heading = "Accounts")]
    pub require_2fa: Require2fa,

    /// Argon2id memory per password hash, in KiB.
    #[arg(long, env = "COFFER_PASSWORD_MEMORY", default_value_t = 19_456, help_heading = "Accounts",
          value_parser = clap::value_parser!(u32).range(19_456..=1_048_576))]
    pub password_memory: u32,

    /// Argon2id passes per password hash.
    #[arg(long, env = "COFFER_PASSWORD_PASSES", default_value_t = 2, help_heading = "Accounts",
          value_parser = clap::value_parser!(u32).range(2..=20))]
    pub password_passes: u32,

    /// smtp://user:password@host:587 (STARTTLS is required, but on this machine) or smtps://user:password@host:465.
    /// ?tls=none sends unencrypted. Without it letters are written to DATA_DIR/mail as .eml files.
    #[arg(long, env = "COFFER_SMTP_URL", hide_env_values = true, help_heading = "Mail")]
    pub smtp_url: Option<SecretString>,

    /// PEM file of authorities that may vouch for the mail server, besides those that the system trusts.
    #[arg(long, env = "COFFER_SMTP_CA_FILE", help_heading = "Mail")]
    pub smtp_ca_file: Option<PathBuf>,

    /// Sender of letters: an address, or Name <address>. [default: coffer@ the base URL's host]
    #[arg(long, env = "COFFER_MAIL_FROM", help_heading = "Mail")]
    pub mail_from: Option<String>,

    #[command(flatten)]
    pub rate_limit: RateLimit,

    /// What to log: error, warn, info, debug, trace, or a filter such as info,coffer=debug.
    #[arg(long, env = "COFFER_LOG", default_value = "info", help_heading = "Logs")]
    pub log: String,

    /// How log lines look. `auto` is pretty in a terminal and JSON elsewhere.
    #[arg(long, env = "COFFER_LOG_FORMAT", default_value = "auto", help_heading = "Logs")]
    pub log_format: LogFormat,

    /// http://host:3100 or https://user:password@host of a Loki that gets a copy of every line.
    #[arg(long, env = "COFFER_LOKI_URL", hide_env_values = true, help_heading = "Logs")]
    pub loki_url: Option<SecretString>,

    /// What Loki's label `env` says.
    #[arg(long, env = "COFFER_ENVIRONMENT", default_value = "production", help_heading = "Logs")]
    pub environment: String,

    /// Address and port where Prometheus finds /metrics, apart from the pages; `off` for none.
    /// [default: 127.0.0.1:9464, or none where that is taken]
    #[arg(long, env = "COFFER_METRICS_ADDRESS", help_heading = "Metrics")]
    pub metrics_address: Option<MetricsAddress>,

    /// What a scraper must send as a bearer token; without it whoever reaches the address may read.
    #[arg(long, env = "COFFER_METRICS_TOKEN", hide_env_values = true, help_heading = "Metrics")]
    pub metrics_token: Option<SecretString>,
}

/// Where `/metrics` is.
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
            .map_err(|_| "give an address and a port such as 127.0.0.1:9464, or off".to_owned())
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

/// Who may make an account for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Signup {
    /// Nobody; an admin makes accounts on the command line.
    Closed,
    /// Whoever holds an invitation link.
    Invite,
    /// Everybody who can open the page.
    Open,
}

/// Who must have a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Require2fa {
    /// Nobody; everybody may.
    Off,
    /// Whoever looks after the others.
    Admins,
    /// Everybody.
    All,
}

impl Require2fa {
    /// Whether this person must have one.
    #[must_use]
    pub fn asks(self, member: &Member) -> bool {
        match self {
            Self::Off => false,
            Self::Admins => member.role == Role::Admin,
            Self::All => true,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Auto,
    Json,
    Pretty,
}

impl Config {
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    #[must_use]
    pub fn metrics_listen(&self) -> MetricsAddress {
        let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, METRICS_PORT));
        self.metrics_address.unwrap_or(MetricsAddress::At(usual))
    }

    /// The address of the database, password included.
    #[must_use]
    pub fn database(&self) -> String {
        self.database_url.as_ref().map_or_else(
            || format!("sqlite:{}", self.data_dir.join("coffer.db").display()),
            |url| url.expose_secret().to_owned(),
        )
    }

    /// How long everything is still served after the stop.
    #[must_use]
    pub fn drain(&self) -> Duration {
        let usual = if self.trusted_proxies.is_empty() { 0 } else { 2 };
        Duration::from_secs(self.drain_seconds.unwrap_or(usual))
    }

    #[must_use]
    pub fn session_idle(&self) -> Duration {
        days(self.session_idle_days)
    }

    #[must_use]
    pub fn session_max(&self) -> Duration {
        days(self.session_max_days)
    }

    #[must_use]
    pub fn stay(&self) -> Duration {
        days(self.stay_days)
    }

    /// Every setting by its `COFFER_` name, secrets masked.
    #[must_use]
    pub fn effective(&self) -> BTreeMap<String, String> {
        let masked = |secret: &Option<SecretString>| {
            secret.as_ref().map_or("(not set)", |_| "(set, hidden)").to_owned()
        };
        let settings = [
            ("COFFER_HOST", self.host.to_string()),
            ("COFFER_PORT", self.port.to_string()),
            (
                "COFFER_BASE_URL",
                self.base_url
                    .as_ref()
                    .map_or_else(|| format!("http://localhost:{}", self.port), ToString::to_string),
            ),
            ("COFFER_MAX_CONNECTIONS", self.max_connections.to_string()),
            ("COFFER_REQUEST_TIMEOUT", self.request_timeout.to_string()),
            ("COFFER_HEADER_TIMEOUT", self.header_timeout.to_string()),
            ("COFFER_STOP_TIMEOUT", self.stop_timeout.to_string()),
            ("COFFER_DRAIN_SECONDS", self.drain().as_secs().to_string()),
            (
                "COFFER_TRUSTED_PROXIES",
                self.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            ),
            ("COFFER_PROXY_HEADER", name(&self.proxy_header)),
            ("COFFER_HSTS_SUBDOMAINS", self.hsts_subdomains.to_string()),
            ("COFFER_IMPORT_LIMIT", self.import_limit.to_string()),
            ("COFFER_DATA_DIR", self.data_dir.display().to_string()),
            (
                "COFFER_DATABASE_URL",
                self.database_url.as_ref().map_or_else(|| self.database(), |_| masked(&self.database_url)),
            ),
            ("COFFER_DATABASE_CONNECTIONS", self.database_connections.to_string()),
            ("COFFER_REDIS_URL", masked(&self.redis_url)),
            ("COFFER_CACHE_MEMORY", self.cache_memory.to_string()),
            ("COFFER_SECRET_KEY", masked(&self.secret_key)),
            ("COFFER_SIGNUP", name(&self.signup)),
            ("COFFER_SESSION_IDLE_DAYS", self.session_idle_days.to_string()),
            ("COFFER_SESSION_MAX_DAYS", self.session_max_days.to_string()),
            ("COFFER_REQUIRE_2FA", name(&self.require_2fa)),
            ("COFFER_STAY_DAYS", self.stay_days.to_string()),
            ("COFFER_PASSWORD_MEMORY", self.password_memory.to_string()),
            ("COFFER_PASSWORD_PASSES", self.password_passes.to_string()),
            ("COFFER_SMTP_URL", masked(&self.smtp_url)),
            (
                "COFFER_SMTP_CA_FILE",
                self.smtp_ca_file
                    .as_ref()
                    .map_or_else(|| "(not set)".to_owned(), |path| path.display().to_string()),
            ),
            ("COFFER_MAIL_FROM", self.mail_from.clone().unwrap_or_else(|| "(not set)".to_owned())),
            ("COFFER_LOG", self.log.clone()),
            ("COFFER_LOG_FORMAT", name(&self.log_format)),
            ("COFFER_LOKI_URL", masked(&self.loki_url)),
            ("COFFER_ENVIRONMENT", self.environment.clone()),
            ("COFFER_METRICS_ADDRESS", self.metrics_listen().to_string()),
            ("COFFER_METRICS_TOKEN", masked(&self.metrics_token)),
        ];
        let named = settings.map(|(name, value)| (name.to_owned(), value));
        named.into_iter().chain(self.rate_limit.effective()).collect()
    }
}

fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn days(days: u32) -> Duration {
    Duration::from_hours(u64::from(days) * 24)
}
