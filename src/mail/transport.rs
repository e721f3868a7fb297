//! Where emails go: to an SMTP server, or to a folder of `.eml` files.

use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters, TlsParametersBuilder};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret as _;
use url::{Host, Url};
use uuid::Uuid;

use crate::mail::MailSettings;

type Smtp = AsyncSmtpTransport<Tokio1Executor>;

const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";

#[derive(Debug)]
pub enum Transport {
    Smtp(Box<Smtp>),
    Folder(PathBuf),
}

#[derive(Debug)]
pub struct Failure {
    /// It holds no address.
    reason: String,
    /// In the server's own words, which may repeat the address.
    details: Option<String>,
    scope: FailureScope,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FailureScope {
    /// The server will never accept this email.
    Final,
    /// The server did not accept this email now.
    Email,
    /// The server can't be reached, or accepts no email.
    Server,
}

impl Failure {
    pub fn permanent(reason: &str) -> Self {
        Self { reason: reason.to_owned(), details: None, scope: FailureScope::Final }
    }

    pub fn unreachable(reason: &str) -> Self {
        Self { reason: reason.to_owned(), details: None, scope: FailureScope::Server }
    }

    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// For the operator only: no log may have it.
    pub fn in_full(&self) -> String {
        match &self.details {
            Some(details) => format!("{} ({details})", self.reason),
            None => self.reason.clone(),
        }
    }

    pub fn is_final(&self) -> bool {
        self.scope == FailureScope::Final
    }

    pub fn concerns_server(&self) -> bool {
        self.scope == FailureScope::Server
    }

    fn from_smtp(error: &lettre::transport::smtp::Error) -> Self {
        let details = Some(error.to_string());
        let Some(code) = error.status().map(|code| code.to_string()) else {
            let reason = match () {
                () if error.is_timeout() => "the mail server took too long",
                () if error.is_tls() => {
                    "no secure connection to the mail server: its certificate is not trusted"
                }
                () => "the mail server can't be reached",
            };
            return Self { details, ..Self::unreachable(reason) };
        };
        let scope = match code.as_str() {
            // The mailbox does not exist, or will never accept this (RFC 5321 § 4.2.3).
            "550" | "551" | "553" => FailureScope::Final,
            // The log-in was refused, or the server is closing: other emails would fail too.
            "421" | "454" | "530" | "534" | "535" | "538" => FailureScope::Server,
            _ => FailureScope::Email,
        };
        Self { reason: format!("the mail server answered {code}"), details, scope }
    }
}

impl Transport {
    pub fn new(settings: &MailSettings, folder: &Path, limit: Duration) -> Result<Self, String> {
        let Some(url) = &settings.smtp_url else { return Ok(Self::Folder(folder.join("mail"))) };
        let refuse = |what: &str| {
            format!(
                "COFFER_SMTP_URL: {what}. Use smtp://user:password@host:587 or smtps://user:password@host."
            )
        };
        let url = Url::parse(url.expose_secret()).map_err(|_| refuse("it is not a valid address"))?;
        let authority = settings.smtp_ca_file.as_deref().map(authority).transpose()?;
        smtp(&url, authority, limit).map(|smtp| Self::Smtp(Box::new(smtp))).map_err(|what| refuse(&what))
    }

    pub async fn send(&self, id: Uuid, message: &Message) -> Result<(), Failure> {
        match self {
            Self::Smtp(smtp) => match smtp.send_raw(message.envelope(), &message.formatted()).await {
                Ok(_) => Ok(()),
                Err(error) => Err(Failure::from_smtp(&error)),
            },
            Self::Folder(folder) => {
                let (folder, bytes) = (folder.clone(), message.formatted());
                let written = tokio::task::spawn_blocking(move || write(&folder, id, &bytes)).await;
                match written {
                    Ok(Ok(file)) => {
                        tracing::info!(event = "mail_written", file, "a letter lies in the mail folder");
                        Ok(())
                    }
                    _ => Err(Failure::unreachable("the mail folder can't be written")),
                }
            }
        }
    }

    pub async fn check_connection(&self) -> Result<(), Failure> {
        match self {
            Self::Smtp(smtp) => match smtp.test_connection().await {
                Ok(true) => Ok(()),
                Ok(false) => Err(Failure::unreachable("the mail server hung up")),
                Err(error) => Err(Failure::from_smtp(&error)),
            },
            Self::Folder(folder) => {
                // Only the first email creates the folder.
                let place = if folder.exists() { folder } else { folder.parent().unwrap_or(folder) };
                let probe = place.join(format!("probe-{}.part", std::process::id()));
                let is_writable =
                    std::fs::write(&probe, [0_u8; 4096]).and_then(|()| std::fs::remove_file(&probe));
                is_writable.map_err(|_| Failure::unreachable("the mail folder can't be written"))
            }
        }
    }
}

fn authority(path: &Path) -> Result<Certificate, String> {
    let shown = path.display();
    let pem = std::fs::read(path).map_err(|error| {
        format!("COFFER_SMTP_CA_FILE: cannot read {shown}: {error}. Check the path and its permissions.")
    })?;
    // rustls reads any other file as an empty list of certificates.
    let certificates = pem.windows(PEM.len()).any(|part| part == PEM);
    Certificate::from_pem(&pem).ok().filter(|_| certificates).ok_or_else(|| {
        format!("COFFER_SMTP_CA_FILE: {shown} contains no certificate. Use a PEM file, which starts with -----BEGIN CERTIFICATE-----.")
    })
}

fn smtp(url: &Url, authority: Option<Certificate>, limit: Duration) -> Result<Smtp, String> {
    let name = match url.host() {
        Some(Host::Ipv6(ip)) => ip.to_string(),
        Some(host) => host.to_string(),
        None => String::new(),
    };
    if name.is_empty() {
        return Err("it has no host".to_owned());
    }
    let has_authority = authority.is_some();
    let encrypted = || {
        let tls = TlsParameters::builder(name.clone());
        let tls = authority.into_iter().fold(tls, TlsParametersBuilder::add_root_certificate);
        tls.build().map_err(|_| "this host has no name for a certificate, or the authority is none")
    };
    let (tls, port) = match (url.scheme(), url.query()) {
        ("smtps", None) => (Tls::Wrapper(encrypted()?), 465),
        ("smtp", Some("tls=none")) => (Tls::None, 587),
        ("smtp", None) if is_this_machine(&name) && !has_authority => (Tls::None, 25),
        ("smtp", None) => (Tls::Required(encrypted()?), 587),
        ("smtp" | "smtps", Some(_)) => {
            return Err("only tls=none is allowed after the question mark".to_owned());
        }
        _ => return Err("the scheme must be smtp or smtps".to_owned()),
    };
    let mut builder = Smtp::builder_dangerous(&name)
        .port(url.port().unwrap_or(port))
        .tls(tls)
        .timeout(Some(limit))
        .hello_name(ClientId::default());
    if !url.username().is_empty() {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let password = url.password().unwrap_or_default();
        builder = builder.credentials(Credentials::new(decoded(url.username()), decoded(password)));
    }
    Ok(builder.build())
}

/// Local mail servers need no encryption, and rarely have a certificate, unless `COFFER_SMTP_CA_FILE` is set.
fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn make(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Writes the file whole or not at all, readable by its owner only, and returns its name.
fn write(folder: &Path, id: Uuid, bytes: &[u8]) -> std::io::Result<String> {
    make(folder)?;
    let (part, name) = (folder.join(format!("{id}.part")), format!("{id}.eml"));
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&part, folder.join(&name))?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> Option<String> {
        smtp(&Url::parse(url).unwrap(), None, Duration::from_secs(1)).err()
    }

    #[test]
    fn servers_are_reached_by_name_and_scheme() {
        for good in [
            "smtp://user:p%40ss@mail.example.org:587",
            "smtps://mail.example.org",
            "smtp://localhost:25",
            "smtp://[::1]:2525",
            "smtp://mailpit:1025?tls=none",
        ] {
            assert_eq!(refusal(good), None, "{good}");
        }
        for bad in ["http://mail.example.org", "smtp://mail.example.org?tls=maybe", "smtp:///", "smtps:x"] {
            assert!(refusal(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn only_this_machine_goes_without_encryption() {
        assert!(is_this_machine("localhost") && is_this_machine("127.0.0.1") && is_this_machine("::1"));
        assert!(!is_this_machine("mail.example.org") && !is_this_machine("10.0.0.1"));
    }
}
