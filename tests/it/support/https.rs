//! A client that speaks HTTP/1.1 over TLS or without, and trusts one authority alone.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;

const LIMIT: Duration = Duration::from_mins(1);

/// Who answers at a port of this machine, called `localhost`.
#[derive(Clone)]
pub struct Site {
    port: u16,
    tls: Option<TlsConnector>,
}

pub struct Reply {
    pub status: u16,
    /// Head and body.
    pub text: String,
}

impl Site {
    pub fn plain(port: u16) -> Self {
        Self { port, tls: None }
    }

    pub fn secure(port: u16, authority: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority).expect("PEM")).expect("an authority");
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_safe_default_protocol_versions().expect("TLS");
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Self { port, tls: Some(TlsConnector::from(Arc::new(config))) }
    }

    pub fn origin(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}", self.port)
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> io::Result<Reply> {
        self.ask("GET", path, headers, &[]).await
    }

    /// As a form of the site's own page.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Reply> {
        let origin = self.origin();
        let own = [("origin", origin.as_str()), ("sec-fetch-site", "same-origin")];
        self.ask("POST", path, &[&own, headers].concat(), body).await
    }

    /// Announces so long a body, and waits for the answer before it sends any of it.
    pub async fn announces(&self, path: &str, headers: &[(&str, &str)], length: usize) -> io::Result<Reply> {
        let (origin, length) = (self.origin(), length.to_string());
        let own =
            [("origin", origin.as_str()), ("sec-fetch-site", "same-origin"), ("content-length", &length)];
        self.ask("POST", path, &[&own, headers].concat(), &[]).await
    }

    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Reply> {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost:{}\r\nconnection: close\r\n", self.port);
        if !headers.iter().any(|(name, _)| *name == "content-length") {
            let _ = write!(head, "content-length: {}\r\n", body.len());
        }
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head += "\r\n";
        let asked = async {
            let stream = {
                // Not an address of the proxy's, whose word coffer takes.
                let socket = TcpSocket::new_v4()?;
                socket.bind(SocketAddr::from(([127, 0, 0, 2], 0)))?;
                socket.connect(SocketAddr::from(([127, 0, 0, 1], self.port))).await?
            };
            match &self.tls {
                None => exchange(stream, &head, body).await,
                Some(tls) => {
                    let name = ServerName::try_from("localhost").expect("a name");
                    exchange(tls.connect(name, stream).await?, &head, body).await
                }
            }
        };
        tokio::time::timeout(LIMIT, asked).await.expect("an answer in time")
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    head: &str,
    body: &[u8],
) -> io::Result<Reply> {
    stream.write_all(head.as_bytes()).await?;
    // Who refuses a body may hang up before it was sent.
    let _ = stream.write_all(body).await;
    let _ = stream.flush().await;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer).await;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    match (status, read) {
        (Some(status), _) => Ok(Reply { status, text }),
        (None, Err(error)) => Err(error),
        (None, Ok(_)) => Err(io::Error::other("no answer")),
    }
}
