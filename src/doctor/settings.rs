//! The settings that `coffer serve` would refuse, found without starting.

use std::net::{Ipv4Addr, SocketAddr};

use secrecy::ExposeSecret as _;

use crate::config::Config;
use crate::db::Db;
use crate::keys::Keys;
use crate::mail;
use crate::public_url::PublicUrl;
use crate::redis::Redis;
use crate::telemetry::logs;
use crate::tls::Tls;

pub fn check(config: &Config) -> Result<(), Vec<String>> {
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, config.port));
    let site = PublicUrl::new(config.base_url.as_ref(), local);
    let letters = site.as_ref().map_or(Ok(()), |site| mail::check(&config.mail, site));
    let findings = [
        site.map(drop),
        letters,
        Keys::configured(config.key_source()).map(drop),
        Db::check(&config.database()).map_err(|error| error.to_string()),
        config.redis_url.as_ref().map_or(Ok(()), |url| Redis::check(url.expose_secret())),
        logs::check(&config.logs),
        Tls::load(&config.tls, config.base_url.as_ref()).map(drop),
    ];
    let refused: Vec<String> = findings.into_iter().filter_map(Result::err).collect();
    if refused.is_empty() { Ok(()) } else { Err(refused) }
}
