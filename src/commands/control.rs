//! The socket in the data directory over which a running coffer does what a command asks for: an SQLite file is its
//! alone, and what it holds in memory must change with the database.
//!
//! One line of JSON asks. The answer is what the command prints, in pieces that each begin with their length (32 bits,
//! big-endian), an empty piece, and the verdict as JSON.

use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::net::UnixListener;
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, spawn_blocking};

use super::work::{Doer, Job, carry_out, open_out};
use crate::app::App;
use crate::config::Config;
use crate::serve::pause;

const NAME: &str = "coffer.sock";
/// For the request, and for the client to take each piece of the answer.
const LIMIT: Duration = Duration::from_secs(30);
const LONGEST_QUESTION: u64 = 1 << 20;

#[derive(Deserialize)]
struct Question {
    /// Of the library that is asked for.
    database: String,
    job: Job,
}

#[derive(Serialize)]
struct Asking<'a> {
    database: String,
    job: &'a Job,
}

#[derive(Deserialize, Serialize)]
enum Verdict {
    Done,
    Refused(String),
    /// The coffer that was asked serves another library.
    Elsewhere,
}

/// Answers commands until it is dropped.
pub struct Socket {
    path: PathBuf,
    answering: AbortHandle,
}

impl Socket {
    /// `None` where the socket can't be: commands then say that coffer runs.
    pub fn listen(app: &Arc<App>) -> Option<Self> {
        let path = app.config.data_dir.join(NAME);
        if UnixStream::connect(&path).is_ok() {
            tracing::info!(
                event = "socket_taken",
                "commands are answered by another coffer with this data directory"
            );
            return None;
        }
        match bind(&path) {
            Ok((listener, owner)) => {
                let answering = tokio::spawn(answer_all(listener, owner, app.clone())).abort_handle();
                Some(Self { path, answering })
            }
            Err(error) => {
                tracing::warn!(event = "socket_failed", %error, file = %path.display(), "commands can't be answered while coffer runs");
                None
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.answering.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

fn bind(path: &Path) -> io::Result<(UnixListener, u32)> {
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok((listener, std::fs::metadata(path)?.uid()))
}

async fn answer_all(listener: UnixListener, owner: u32, app: Arc<App>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            pause().await;
            continue;
        };
        // A client that connected before the mode was set may belong to another user.
        let is_allowed = stream.peer_cred().is_ok_and(|peer| [0, owner].contains(&peer.uid()));
        if let (true, Ok(stream)) = (is_allowed, stream.into_std()) {
            let app = app.clone();
            spawn_blocking(move || {
                if let Err(error) = answer(&app, &stream) {
                    tracing::warn!(event = "command_failed", %error, "a command did not take its answer");
                }
            });
        }
    }
}

fn answer(app: &App, stream: &UnixStream) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST_QUESTION)).read_line(&mut line)?;
    let verdict = match serde_json::from_str::<Question>(&line) {
        Ok(question) if question.database == identity(&app.config) => {
            let out = Box::new(BufWriter::new(Pieces(stream.try_clone()?)));
            match Handle::current().block_on(carry_out(app, question.job, out, Doer::Server)) {
                Ok(()) => Verdict::Done,
                Err(sentence) => Verdict::Refused(sentence),
            }
        }
        Ok(_) => Verdict::Elsewhere,
        Err(_) => Verdict::Refused(
            "The running coffer is a different version and doesn't know this command. Use the command of the same version.".to_owned(),
        ),
    };
    let mut stream = stream;
    stream.write_all(&[0; 4])?;
    serde_json::to_writer(stream, &verdict)?;
    Ok(())
}

/// `None` when no coffer runs on this library.
pub fn ask(config: &Config, job: &Job, file: Option<&Path>) -> Option<Result<(), String>> {
    let stream = UnixStream::connect(config.data_dir.join(NAME)).ok()?;
    let lost = |error: io::Error| {
        format!("The running coffer closed the connection: {error}. See its log for details.")
    };
    match converse(&stream, &Asking { database: identity(config), job }, file) {
        Ok(Ok(Verdict::Done)) => Some(Ok(())),
        Ok(Ok(Verdict::Refused(sentence)) | Err(sentence)) => Some(Err(sentence)),
        Ok(Ok(Verdict::Elsewhere)) => None,
        Err(error) => Some(Err(lost(error))),
    }
}

fn converse(
    mut stream: &UnixStream,
    asking: &Asking<'_>,
    file: Option<&Path>,
) -> io::Result<Result<Verdict, String>> {
    let mut line = serde_json::to_vec(asking)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = BufReader::new(stream);
    let mut out = None;
    loop {
        let mut length = [0; 4];
        answer.read_exact(&mut length)?;
        let mut piece = vec![0; u32::from_be_bytes(length) as usize];
        answer.read_exact(&mut piece)?;
        if out.is_none() && (file.is_none() || !piece.is_empty()) {
            match open_out(file) {
                Ok(opened) => out = Some(opened),
                Err(sentence) => return Ok(Err(sentence)),
            }
        }
        if let Some(out) = &mut out {
            out.write_all(&piece)?;
            out.flush()?;
        }
        if piece.is_empty() {
            return Ok(Ok(serde_json::from_reader(answer)?));
        }
    }
}

fn identity(config: &Config) -> String {
    let database = config.database();
    let place = match database.strip_prefix("sqlite:") {
        Some(path) => {
            let path = Path::new(path.trim_start_matches("//"));
            std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
        }
        None => database,
    };
    HEXLOWER.encode(&Sha256::digest(place))
}

struct Pieces(UnixStream);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // An empty piece is the end.
        if let Ok(length @ 1..) = u32::try_from(bytes.len()) {
            self.0.write_all(&length.to_be_bytes())?;
            self.0.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
