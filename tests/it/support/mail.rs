//! The letters that people get: from a mail server that the test starts, or from the folder.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mail_parser::MessageParser;
use tempfile::TempDir;

use super::app::App;
use super::server::Server;
use super::wait::eventually;

const READY: &str = "ready for letters";
const LIMIT: Duration = Duration::from_secs(20);

/// A letter as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// The whole file.
    pub raw: String,
}

impl Received {
    fn read(file: &Path) -> Option<Self> {
        let bytes = fs::read(file).ok()?;
        let message = MessageParser::default().parse(&bytes)?;
        Some(Self {
            to: message.to()?.first()?.address()?.to_owned(),
            subject: message.subject()?.to_owned(),
            text: message.body_text(0)?.into_owned(),
            html: message.body_html(0)?.into_owned(),
            raw: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }

    /// The path of the link that begins like this, on our own site.
    #[track_caller]
    pub fn link(&self, app: &App, begin: &str) -> String {
        let origin = app.coffer.deps.public_url.address();
        let whole = self.text.split_whitespace().find(|word| word.starts_with(&format!("{origin}{begin}")));
        whole.unwrap_or_else(|| panic!("a link to {begin} in {self:?}"))[origin.len()..].to_owned()
    }

    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.text.contains(text) && self.html.contains(text), "{text:?} in {self:#?}");
        self
    }
}

fn letters_in(folder: &Path) -> Vec<Received> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = files.map(|file| file.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "eml"));
    files.sort_unstable();
    files.iter().filter_map(|file| Received::read(file)).collect()
}

impl App {
    /// Once nothing waits to be sent any more: the letters in the folder to this address, in their order.
    pub async fn letters_to(&self, address: &str) -> Vec<Received> {
        self.all_is_sent().await;
        let mut letters = letters_in(&self.data_dir().join("mail"));
        letters.retain(|letter| letter.to == address);
        letters
    }

    /// The latest letter in the folder to this address, which is about this.
    pub async fn letter_to(&self, address: &str, subject: &str) -> Received {
        let letter = self.letters_to(address).await.pop();
        let letter = letter.unwrap_or_else(|| panic!("a letter to {address}"));
        assert!(letter.subject.contains(subject), "{subject:?}, not {letter:#?}");
        letter
    }

    pub async fn all_is_sent(&self) {
        let sent = eventually(LIMIT, async || match self.coffer.mail.waiting().await {
            Ok(0) => Ok(()),
            Ok(count) => Err(format!("{count} letters wait")),
            Err(error) => Err(error.to_string()),
        });
        sent.await.unwrap_or_else(|error| panic!("{error}"));
    }
}

/// A mail server of the test's own, to stop and to bring back.
pub struct MailServer {
    server: Server,
    port: u16,
    certificates: Option<TempDir>,
}

impl MailServer {
    pub async fn start() -> Self {
        Self::with(&[], None).await
    }

    /// Speaks TLS alone (`starttls` or `smtps`), by a certificate for this name from an authority of its own.
    pub async fn secure(mode: &str, name: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("coffer-test.").tempdir().expect("a folder");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/certificates.sh");
        let written =
            Command::new("sh").args([script, name]).current_dir(folder.path()).output().expect("sh runs");
        assert!(written.status.success(), "certificates: {}", String::from_utf8_lossy(&written.stderr));
        let [certificate, key] =
            ["server.pem", "server.key"].map(|file| folder.path().join(file).display().to_string());
        Self::with(&[mode, &certificate, &key], Some(folder)).await
    }

    async fn with(arguments: &[&str], certificates: Option<TempDir>) -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/smtp_server.py");
        let (server, port) = Server::on_free_port("smtp", "KILL", READY, |port| {
            // Debian's own Python is the one that Debian's packages are for.
            let command = ["/usr/bin/python3", program, port];
            command.into_iter().chain(arguments.iter().copied()).map(str::to_owned).collect()
        })
        .await;
        Self { server, port, certificates }
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// With this scheme and password, percent-encoded.
    pub fn secure_url(&self, scheme: &str, password: &str) -> String {
        format!("{scheme}://coffer:{password}@127.0.0.1:{}", self.port)
    }

    /// The file of the authority that has made the server's certificate.
    pub fn authority(&self) -> String {
        let folder = self.certificates.as_ref().expect("a server with certificates");
        folder.path().join("ca.pem").display().to_string()
    }

    pub fn kill(&self) {
        self.server.end();
    }

    /// Takes connections and says nothing.
    pub fn freeze(&self) {
        assert!(self.server.send("STOP"), "the mail server has ended");
    }

    pub fn thaw(&self) {
        assert!(self.server.send("CONT"), "the mail server has ended");
    }

    pub async fn restart(&self) {
        self.server.start(READY).await.unwrap_or_else(|log| panic!("the mail server doesn't restart: {log}"));
    }

    pub fn letters(&self) -> Vec<Received> {
        letters_in(&self.server.folder().join("letters"))
    }

    /// Waits for so many letters.
    pub async fn has(&self, count: usize) -> Vec<Received> {
        let arrived = eventually(LIMIT, async || {
            let letters = self.letters();
            if letters.len() == count { Ok(letters) } else { Err(format!("{} letters", letters.len())) }
        });
        arrived.await.unwrap_or_else(|error| panic!("{count} letters: {error}"))
    }
}
