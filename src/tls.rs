//! https without a proxy: a certificate from files, loaded again when they change.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use parking_lot::{Mutex, RwLock};
use rustls::ServerConfig;
use rustls::crypto::ring::{default_provider, sign::any_supported_type};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use url::Url;

/// A renewed certificate is in use after this time.
const LOOK_EVERY: Duration = Duration::from_secs(10);

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Serving")]
pub struct TlsSettings {
    /// PEM file with the certificate and its chain: coffer then serves https itself, without a proxy. Reloaded
    /// when it changes.
    #[arg(long, env = "COFFER_TLS_CERTIFICATE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,

    /// PEM file with the certificate's private key.
    #[arg(long, env = "COFFER_TLS_KEY", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
}

#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    served: Arc<Served>,
}

struct Served {
    files: Files,
    key: RwLock<Arc<CertifiedKey>>,
    /// The files' content when they were last read.
    read: Mutex<Pem>,
}

#[derive(Clone)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

#[derive(PartialEq, Eq)]
struct Pem {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Tls {
    /// `None` where no certificate is set. The error says what to do.
    pub fn load(settings: &TlsSettings, base_url: Option<&Url>) -> Result<Option<Self>, String> {
        let TlsSettings { tls_certificate: Some(certificate), tls_key: Some(key) } = settings else {
            return Ok(None);
        };
        if base_url.is_none_or(|url| url.scheme() != "https") {
            return Err(
                "COFFER_TLS_CERTIFICATE makes coffer speak https. Set COFFER_BASE_URL to its https address."
                    .to_owned(),
            );
        }
        let files = Files { certificate: certificate.clone(), key: key.clone() };
        let pem = files.read()?;
        let key = RwLock::new(Arc::new(files.parse(&pem)?));
        let served = Arc::new(Served { files, key, read: Mutex::new(pem) });
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| format!("TLS can't be set up: {e}."))?;
        let mut config = config.with_no_client_auth().with_cert_resolver(served.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Some(Self { acceptor: TlsAcceptor::from(Arc::new(config)), served }))
    }

    pub async fn watch(self) {
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            match self.served.look_again() {
                Ok(false) => {}
                Ok(true) => tracing::info!(event = "certificate_renewed", "another certificate is in use"),
                Err(reason) => {
                    tracing::error!(
                        event = "certificate_unusable",
                        reason,
                        "the certificate of before stays in use"
                    );
                }
            }
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// The stream itself, or TLS on it. Fails when the TLS handshake does.
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    tls: Option<&Tls>,
    stream: S,
) -> io::Result<Either<S, Box<TlsStream<S>>>> {
    match tls {
        None => Ok(Either::Left(stream)),
        Some(tls) => Ok(Either::Right(Box::new(tls.acceptor.accept(stream).await?))),
    }
}

impl Served {
    /// Returns whether the files have changed. An unusable certificate is reported once.
    fn look_again(&self) -> Result<bool, String> {
        let pem = self.files.read()?;
        let mut read = self.read.lock();
        if *read == pem {
            return Ok(false);
        }
        let parsed = self.files.parse(&pem);
        *read = pem;
        *self.key.write() = Arc::new(parsed?);
        Ok(true)
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key.read().clone())
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Served")
    }
}

impl Files {
    fn read(&self) -> Result<Pem, String> {
        Ok(Pem {
            certificate: read("COFFER_TLS_CERTIFICATE", &self.certificate)?,
            key: read("COFFER_TLS_KEY", &self.key)?,
        })
    }

    fn parse(&self, pem: &Pem) -> Result<CertifiedKey, String> {
        let certificates: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(&pem.certificate).filter_map(Result::ok).collect();
        if certificates.is_empty() {
            return Err(format!(
                "COFFER_TLS_CERTIFICATE: {} contains no certificate. Use a PEM file, which starts with -----BEGIN CERTIFICATE-----.",
                self.certificate.display()
            ));
        }
        let refuse = || {
            format!("COFFER_TLS_KEY: {} contains no usable private key. Use a PEM file.", self.key.display())
        };
        let key = PrivateKeyDer::from_pem_slice(&pem.key).map_err(|_| refuse())?;
        let certified = CertifiedKey::new(certificates, any_supported_type(&key).map_err(|_| refuse())?);
        certified.keys_match().map_err(|_| {
            format!(
                "COFFER_TLS_KEY: {} does not match the certificate in {}.",
                self.key.display(),
                self.certificate.display()
            )
        })?;
        Ok(certified)
    }
}

fn read(setting: &str, path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| {
        format!("{setting}: cannot read {}: {e}. Check the path and its permissions.", path.display())
    })
}
