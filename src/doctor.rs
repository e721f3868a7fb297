//! `coffer doctor`: checks everything that coffer depends on, and says how to repair it.

pub mod settings;
mod tags;

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret as _;

use crate::config::Config;
use crate::db::{Db, Schema, StartError, migrations};
use crate::keys::{Keys, belonging};
use crate::mail;
use crate::public_url::PublicUrl;
use crate::redis::Redis;
use crate::system::System;

/// A dependency that takes longer counts as down.
const LIMIT: Duration = Duration::from_secs(3);
/// With a larger difference, sessions and codes would expire early or late.
const CLOCK_TOLERANCE_MS: i64 = 2_000;

enum Finding {
    Fine(String),
    Warning(String),
    Failure(String),
}

use Finding::{Failure, Fine, Warning};

/// Prints one line for each check. The error says how many failed.
pub async fn run(config: Config, repair: bool) -> Result<(), String> {
    let mut checks =
        vec![("address", address(&config)), ("cookies", cookies(&config)), ("data", data(&config))];
    checks.splice(0..0, settings(&config));
    if repair {
        checks.push(("repair", tags::repair(&config.database()).await.map_or_else(Failure, Fine)));
    }
    checks.push(("visitors", visitors(&config)));
    checks.extend(database(&config).await);
    checks.push(("redis", redis(&config).await));
    checks.push(("mail", mail(&config).await));
    let mut failed = 0;
    let mut out = std::io::stdout().lock();
    for (name, finding) in checks {
        let (mark, text) = match finding {
            Fine(text) => ("ok  ", text),
            Warning(text) => ("warn", text),
            Failure(text) => {
                failed += 1;
                ("FAIL", text)
            }
        };
        let _ = writeln!(out, "{mark}  {name:<9} {text}");
    }
    match failed {
        0 => Ok(()),
        1 => Err("One check failed.".to_owned()),
        count => Err(format!("{count} checks failed.")),
    }
}

fn settings(config: &Config) -> Vec<(&'static str, Finding)> {
    match settings::check(config) {
        Ok(()) => vec![("settings", Fine("as `coffer serve` takes them".to_owned()))],
        Err(refused) => refused.into_iter().map(|sentence| ("settings", Failure(sentence))).collect(),
    }
}

fn site(config: &Config) -> Result<PublicUrl, String> {
    PublicUrl::new(config.base_url.as_ref(), SocketAddr::from((Ipv4Addr::LOCALHOST, config.port)))
}

fn address(config: &Config) -> Finding {
    match site(config) {
        Err(sentence) => Failure(sentence),
        Ok(_) if config.base_url.is_none() && !config.host.is_loopback() => Warning(format!(
            "coffer listens on {} for the whole network but only responds as localhost. Set COFFER_BASE_URL to the address that people use.",
            config.listen()
        )),
        Ok(site) => Fine(format!("people reach coffer at {}", site.address())),
    }
}

fn cookies(config: &Config) -> Finding {
    match site(config) {
        Ok(site) if site.secure_cookies() => Fine("session cookies are Secure and have the __Host- prefix".to_owned()),
        Ok(_) => Warning(
            "the base URL is plain http, so passwords and sessions are sent unencrypted. Put coffer behind https and set COFFER_BASE_URL to the https address."
                .to_owned(),
        ),
        Err(_) => Failure("not checked because the address is wrong".to_owned()),
    }
}

/// Limits count by the visitors' addresses.
fn visitors(config: &Config) -> Finding {
    if let Some(all) = config.client.trusted_proxies.iter().find(|network| network.prefix_len() == 0) {
        return Failure(format!(
            "COFFER_TRUSTED_PROXIES lists {all}, which includes everyone: any visitor can fake an address and bypass the limits. List only your proxies."
        ));
    }
    match site(config) {
        Ok(site)
            if site.is_https()
                && config.tls.tls_certificate.is_none()
                && config.client.trusted_proxies.is_empty() => Warning(
            "coffer seems to be behind an https proxy, but COFFER_TRUSTED_PROXIES is not set, so all visitors share one limit. Add the proxy's address."
                .to_owned(),
        ),
        _ if config.client.trusted_proxies.is_empty() => Fine("identified by their own addresses".to_owned()),
        _ => Fine(format!("identified by {} from the trusted proxies", config.client.proxy_header.as_str())),
    }
}

fn data(config: &Config) -> Finding {
    let dir = &config.data_dir;
    if !dir.exists() {
        return Warning(format!("{} does not exist yet; coffer creates it on first start", dir.display()));
    }
    if let Err(error) = tempfile_in(dir) {
        return Failure(format!(
            "{} is not writable: {error}. Free up space, or make it writable for this user.",
            dir.display()
        ));
    }
    let key = dir.join("secret.key");
    let open_to_others =
        |path: &Path| std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
    if open_to_others(dir) {
        return Failure(format!(
            "other users can access {}. Run: chmod 700 {}",
            dir.display(),
            dir.display()
        ));
    }
    if open_to_others(&key) {
        return Failure(format!("other users can read {}. Run: chmod 600 {}", key.display(), key.display()));
    }
    Fine(format!("{} is writable", dir.display()))
}

fn tempfile_in(dir: &Path) -> std::io::Result<()> {
    let path = dir.join(format!("doctor-{}", std::process::id()));
    std::fs::write(&path, [0_u8; 4096])?;
    std::fs::remove_file(&path)
}

async fn database(config: &Config) -> Vec<(&'static str, Finding)> {
    let url = config.database();
    let opened = Db::look(&url);
    let db = match tokio::time::timeout(LIMIT * 4, opened).await {
        Ok(Ok(db)) => db,
        Ok(Err(StartError::NoLibrary(place))) => {
            return vec![(
                "database",
                Warning(format!("{place} does not exist yet; coffer creates it on first start")),
            )];
        }
        Ok(Err(error)) => return vec![("database", Failure(error.to_string()))],
        Err(_) => return vec![("database", Failure("no answer within 12 seconds".to_owned()))],
    };
    let schema = db.schema().await;
    let mut findings = vec![("database", stand(&db, &schema))];
    if matches!(schema, Ok(Schema::Current)) {
        findings.push(("key", key(&db, config).await));
        findings.push(("tags", tags::check(&db).await));
    }
    match db.clock().await {
        Ok(Some(theirs)) => {
            let ahead = theirs.micros() - System::real().now().micros();
            findings.push(("clock", clock(ahead / 1000)));
        }
        Ok(None) => {}
        Err(error) => findings.push(("clock", Failure(error.to_string()))),
    }
    db.close().await;
    findings
}

fn stand(db: &Db, schema: &Result<Schema, StartError>) -> Finding {
    let answers = format!("{} answers", db.name());
    match schema {
        Ok(Schema::Current) => Fine(format!("{answers}, its schema is up to date")),
        Ok(Schema::Empty) => {
            Warning(format!("{answers} and is empty; coffer creates the schema on first start"))
        }
        Ok(Schema::Behind(count)) => Warning(format!(
            "{answers}; {} pending. Make a backup, then run `coffer migrate` or start coffer",
            migrations(*count)
        )),
        Ok(Schema::Newer(version)) => Failure(StartError::Newer(*version).to_string()),
        Ok(Schema::Different(version)) => Failure(StartError::Different(*version).to_string()),
        Err(error) => Failure(error.to_string()),
    }
}

async fn key(db: &Db, config: &Config) -> Finding {
    let owner = match belonging::owner(db).await {
        Ok(owner) => owner,
        Err(sentence) => return Failure(sentence),
    };
    match (Keys::configured(config.key_source()), owner) {
        (Err(sentence), _) => Failure(sentence),
        (Ok(_), None) => Fine("no key has been used with this database yet".to_owned()),
        (Ok(None), Some(owner)) => Failure(belonging::missing(config.key_source(), owner)),
        (Ok(Some(keys)), Some(owner)) if keys.id() == owner => {
            Fine(format!("{owner} matches the database; all nodes need this key"))
        }
        (Ok(Some(keys)), Some(owner)) => Failure(belonging::another(config.key_source(), keys.id(), owner)),
    }
}

fn clock(ahead_ms: i64) -> Finding {
    if ahead_ms.abs() <= CLOCK_TOLERANCE_MS {
        return Fine("the clocks of this machine and the database agree".to_owned());
    }
    Failure(format!(
        "the database's clock is {} s {} this machine's. Use a time service (NTP) on both.",
        ahead_ms.abs() / 1000,
        if ahead_ms > 0 { "ahead of" } else { "behind" }
    ))
}

async fn redis(config: &Config) -> Finding {
    let Some(url) = &config.redis_url else {
        return Fine("not configured: single node, sessions are read from the database".to_owned());
    };
    let redis = match Redis::connect(url.expose_secret(), &System::real()) {
        Ok(redis) => redis,
        Err(sentence) => return Failure(sentence),
    };
    let answered = tokio::time::timeout(LIMIT, redis.ping()).await;
    redis.close().await;
    match answered {
        Ok(Ok(())) => Fine("answers".to_owned()),
        _ => Failure(
            "no response. Check COFFER_REDIS_URL and that Redis is running. coffer works without it, but more slowly."
                .to_owned(),
        ),
    }
}

async fn mail(config: &Config) -> Finding {
    if config.mail.smtp_url.is_none() && !config.data_dir.exists() {
        return Fine("emails will be written to the data directory".to_owned());
    }
    match mail::probe(&config.mail, &config.data_dir, LIMIT).await {
        Ok(()) if config.mail.smtp_url.is_none() => Fine(format!(
            "no mail server: emails are written to {} for you to forward",
            config.data_dir.join("mail").display()
        )),
        Ok(()) => Fine("the mail server accepts email".to_owned()),
        Err(reason) => Failure(format!(
            "{reason}. Check COFFER_SMTP_URL and that the server is running. Emails stay queued until then."
        )),
    }
}
