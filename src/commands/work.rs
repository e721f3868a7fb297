//! Commands on an open library, carried out by the coffer that runs on it, or else by this process.

use std::fmt::Display;
use std::io::{self, BufRead as _, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::output::Output;
use super::{control, export, open_as, people, token, trail};
use crate::app::App;
use crate::cli::Work;
use crate::cli::args::{AuditAction, UserAction};
use crate::config::Config;
use crate::data_dir;
use crate::db::Opening;

const CHUNK: usize = 64 << 10;

/// Takes what a command prints: the terminal, a file, or the socket of the process that asked.
pub type Out = Box<dyn Write + Send>;

#[derive(Deserialize, Serialize)]
pub struct Job {
    pub work: Work,
    /// Of a new account.
    pub password: Option<String>,
}

/// Which process does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doer {
    Server,
    Command,
}

pub async fn run(work: Work, config: Config) -> Result<(), String> {
    if let Work::Audit(args) = &work
        && let AuditAction::Verify { file: Some(file) } = &args.action
    {
        return trail::verify_file(file, &config);
    }
    let file = work.file();
    let opening = work.opening();
    let job = Job { password: work.wants_password().then(read_password).transpose()?, work };
    let done = match control::ask(&config, &job, file.as_deref()) {
        Some(answer) => answer,
        None => in_this_process(job, config, opening, file.as_deref()).await,
    };
    if let (Ok(()), Some(file)) = (&done, file) {
        eprintln!("Saved to {}.", file.display());
    }
    done
}

async fn in_this_process(
    job: Job,
    config: Config,
    opening: Opening,
    file: Option<&Path>,
) -> Result<(), String> {
    let app = open_as(config, opening).await?;
    let done = match open_out(file) {
        Ok(out) => carry_out(&app, job, out, Doer::Command).await,
        Err(sentence) => Err(sentence),
    };
    app.close().await;
    done
}

/// The error says what to do.
pub async fn carry_out(app: &App, job: Job, out: Out, doer: Doer) -> Result<(), String> {
    match job.work {
        Work::User(args) => people::run(app, args.action, job.password, out, doer).await,
        Work::Audit(args) => trail::run(app, args.action, out).await,
        Work::Token(args) => token::run(app, args.action, out).await,
        Work::Export(args) => export::run(app, args, out).await,
    }
}

/// Standard output, or a new file that only this user may read.
pub fn open_out(file: Option<&Path>) -> Result<Out, String> {
    let Some(path) = file else { return Ok(Box::new(Output::standard())) };
    let file = data_dir::private(path).map_err(|e| cannot_write(path, &e))?;
    Ok(Box::new(BufWriter::with_capacity(CHUNK, written_bytes().wrap_write(file))))
}

/// On a terminal: bytes written, and the time.
fn written_bytes() -> ProgressBar {
    let style = ProgressStyle::with_template("Writing {binary_bytes} {elapsed}");
    ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

pub fn cannot_write(path: &Path, error: &io::Error) -> String {
    format!("Cannot write {}: {error}. Choose a file that does not exist yet.", path.display())
}

pub fn say(out: &mut Out, line: impl Display) -> Result<(), String> {
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|e| format!("Cannot print: {e}."))
}

impl Work {
    /// `None` for standard output.
    fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Export(args) => args.file.clone(),
            Self::Audit(args) => match &args.action {
                AuditAction::Export { file } => file.clone(),
                AuditAction::Verify { .. } => None,
            },
            Self::User(_) | Self::Token(_) => None,
        }
    }

    /// Whether it may create a library.
    fn opening(&self) -> Opening {
        if self.wants_password() { Opening::Create } else { Opening::Existing }
    }

    fn wants_password(&self) -> bool {
        matches!(self, Self::User(args) if matches!(args.action, UserAction::Create { .. }))
    }
}

fn read_password() -> Result<String, String> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password("Password (at least 12 characters): ")
            .map_err(|e| format!("Cannot read the password: {e}."));
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(|e| format!("Cannot read the password: {e}."))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
