//! What each command does.

mod key;
mod people;
mod setup_link;
mod signals;
mod token;

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use self::signals::Signals;
use crate::accounts::{Member, SETUP_LIFE};
use crate::app::{self, App};
use crate::cli::{AuditAction, AuditArgs, Command, ConfigArgs, ExportArgs, ImportArgs, SeedArgs};
use crate::config::Config;
use crate::context::Context;
use crate::db::{Db, Opening};
use crate::error::Error;
use crate::resources::import::{File, Report};
use crate::telemetry::{listener, logs};
use crate::web::viewer::Viewer;
use crate::{doctor, serve, waiting};

const BAR: &str = "{msg} {bar:32} {human_pos}/{human_len} {elapsed}";

pub async fn run(command: Command) -> Result<(), String> {
    match command {
        Command::Serve(config) => Box::pin(serve_library(*config)).await,
        Command::Migrate(config) => {
            // A key is none of its business: it may run where there is none.
            if config.database().starts_with("sqlite:") {
                app::prepare_data_dir(&config)?;
            }
            let db = Db::open(&config.database(), 1).await.map_err(|e| e.to_string())?;
            println!("The schema of the {} database is up to date.", db.name());
            db.close().await;
            Ok(())
        }
        Command::Config(ConfigArgs { config, given }) => {
            for (name, value) in config.effective(&given) {
                println!("{name}={value}");
            }
            doctor::settings::check(&config).map_err(|refused| refused.join("\n"))
        }
        Command::User(args) => people::run(args.action).await,
        Command::Audit(AuditArgs { action: AuditAction::Verify { config } }) => people::verify(*config).await,
        Command::Key(args) => key::run(args.action).await,
        Command::Token(args) => token::run(args.action).await,
        Command::Import(args) => import(args).await,
        Command::Export(args) => export(args).await,
        Command::Seed(args) => seed(args).await,
        Command::Openapi => {
            println!("{}", app::openapi().to_pretty_json().map_err(|e| e.to_string())?);
            Ok(())
        }
        Command::Doctor(config) => doctor::run(*config).await,
        Command::Healthcheck(config) => healthcheck(&config).await,
    }
}

async fn serve_library(config: Config) -> Result<(), String> {
    let context = Context::system();
    let logs = logs::init(&config, &context)?;
    let served = Box::pin(serve_until_told(config, context)).await;
    if let Err(reason) = &served
        && logs.are_json()
    {
        tracing::error!(event = "start_failed", reason, "coffer can't start");
    }
    logs.close().await;
    served
}

async fn serve_until_told(config: Config, context: Context) -> Result<(), String> {
    let address = config.listen();
    let listener = TcpListener::bind(address).await.map_err(|e| cannot_listen(address, &e))?;
    let local = listener.local_addr().map_err(|e| cannot_listen(address, &e))?;
    let mut signals = Signals::listen()?;
    let scraped = listener::bind(&config).await?;
    let app = tokio::select! {
        app = App::open_with(config, context, local, async |config| waiting::database(config, &listener).await) => app?,
        () = signals.next() => return Ok(()),
    };
    greet(&app).await.map_err(|e| sentence(&e))?;
    let scraped = scraped.map(|listening| tokio::spawn(listener::serve(listening, app.clone())));
    let (stop, asked) = oneshot::channel();
    let serving = serve::serve(listener, app, async move { asked.await.unwrap_or_default() });
    let insisted = async {
        signals.next().await;
        tracing::info!(event = "stopping", "finishing what is in flight");
        let _ = stop.send(());
        signals.next().await;
    };
    tokio::select! {
        () = serving => {}
        () = insisted => std::process::exit(1),
    }
    scraped.inspect(tokio::task::JoinHandle::abort);
    Ok(())
}

/// Says where coffer is, and on the first start how to get in.
async fn greet(app: &App) -> Result<(), Error> {
    let origin = app.deps.public_url.origin();
    if !app.deps.public_url.secure_cookies() {
        tracing::warn!(
            event = "plain_http",
            "the base URL is plain http: passwords and sessions travel unprotected. Put coffer behind https."
        );
    }
    tracing::info!(
        event = "started",
        address = origin,
        database = app.db.name(),
        redis = app.redis.is_some(),
        "coffer is ready"
    );
    let setup = app.accounts.begin_setup().await?;
    if setup.is_none() {
        setup_link::remove(&app.config.data_dir);
    }
    // For people: standard output is the log's.
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "\n  coffer is at {origin}");
    let Some(token) = setup else { return Ok(()) };
    let link = format!("{origin}/setup/{token}");
    let kept = setup_link::write(&app.config.data_dir, &link);
    let minutes = SETUP_LIFE.as_secs() / 60;
    let _ = writeln!(out, "  Make the first account within {minutes} minutes:\n  {link}");
    let _ = match kept {
        Ok(path) => writeln!(out, "  The link is in {} too.\n", path.display()),
        Err(error) => writeln!(out, "  It could not be kept in the data directory: {error}.\n"),
    };
    Ok(())
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> String {
    let advice = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "Another program uses this port. Stop it, or set COFFER_PORT to a free one."
        }
        std::io::ErrorKind::PermissionDenied => {
            "Ports below 1024 need extra rights. Set COFFER_PORT to 1024 or more."
        }
        std::io::ErrorKind::AddrNotAvailable => {
            "This machine has no such address. Set COFFER_HOST to one it has."
        }
        _ => "Check COFFER_HOST and COFFER_PORT.",
    };
    format!("Cannot listen on {address}: {error}. {advice}")
}

/// The application without a listener, for commands that may make a library.
async fn open_or_make(config: Config) -> Result<Arc<App>, String> {
    open_as(config, Opening::Create).await
}

/// The same, for commands that work on what is there: they make nothing and bring nothing up to date.
async fn open(config: Config) -> Result<Arc<App>, String> {
    open_as(config, Opening::Existing).await
}

async fn open_as(config: Config, opening: Opening) -> Result<Arc<App>, String> {
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, config.port));
    App::open_as(config, Context::system(), nowhere, opening).await
}

async fn import(args: ImportArgs) -> Result<(), String> {
    let bytes =
        std::fs::read(&args.file).map_err(|e| format!("Cannot read {}: {e}.", args.file.display()))?;
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let app = open_or_make(args.config).await?;
    let owner = owner(&app, args.user.as_deref()).await?;
    let bar = bar("Importing");
    let file = File { name: &name, bytes, visibility: args.visibility, charset: args.charset };
    let viewer = Viewer::Member(Arc::new(owner));
    let imported = app.resources.import(&viewer, file, |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    let (_, report) = imported.await.map_err(|e| import_error(&e))?;
    bar.finish_and_clear();
    tell(&report);
    app.close().await;
    Ok(())
}

fn import_error(error: &Error) -> String {
    match error {
        Error::Invalid(errors) if errors.of("charset").is_some() => {
            format!("{} Name it with --charset, for example --charset gbk.", sentence(error))
        }
        error => sentence(error),
    }
}

/// What became of each link, as the page after an import says it.
fn tell(report: &Report) {
    println!("{} new, {} already kept, {} refused.", report.new, report.duplicate, report.refused);
    if let Some(charset) = &report.charset {
        let characters = if report.unreadable == 1 { "character" } else { "characters" };
        println!(
            "{} {characters} could not be read as {charset}; --charset chooses another encoding.",
            report.unreadable
        );
    }
    for refusal in &report.refusals {
        println!("  line {}: {} ({})", refusal.line, refusal.reason, refusal.text);
    }
    and_more(report.refused, report.refusals.len());
    println!("{} already kept got new tags, {} were shortened.", report.merged, report.shortened);
    for merged in report.duplicates.iter().filter(|duplicate| !duplicate.added.is_empty()) {
        println!("  line {}: new tags {} ({})", merged.line, merged.added.join(", "), merged.title);
    }
    for shortening in &report.shortenings {
        println!("  line {}: {} ({})", shortening.line, shortening.what, shortening.title);
    }
    and_more(report.shortened, report.shortenings.len());
}

fn and_more(all: usize, shown: usize) {
    if shown < all {
        println!("  … and {} more", all - shown);
    }
}

async fn export(args: ExportArgs) -> Result<(), String> {
    let app = open(args.config).await?;
    let viewer = Viewer::Member(Arc::new(owner(&app, args.user.as_deref()).await?));
    let out: Box<dyn Write + Send> = match &args.file {
        None => Box::new(std::io::stdout()),
        Some(path) => Box::new(private_file(path).map_err(|e| {
            format!("Cannot write {}: {e}. Name a file that does not exist yet.", path.display())
        })?),
    };
    app.resources
        .export_to(&viewer, args.format, std::io::BufWriter::new(out))
        .await
        .map_err(|e| sentence(&e))?;
    if let Some(path) = args.file {
        eprintln!("The library is in {}.", path.display());
    }
    app.close().await;
    Ok(())
}

/// A new file that only this user may read.
fn private_file(path: &Path) -> std::io::Result<std::fs::File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// The one whose library it is: named, or the only one there is.
async fn owner(app: &App, named: Option<&str>) -> Result<Member, String> {
    if let Some(username) = named {
        let found = app.accounts.by_username(username).await.map_err(|e| sentence(&e))?;
        return found
            .ok_or_else(|| format!("There is no account {username}. `coffer user list` shows them all."));
    }
    let mut all = app.accounts.all().await.map_err(|e| sentence(&e))?;
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err("There are several accounts. Name one with --user.".to_owned()),
        (None, _) => Err(
            "There is no account yet. Start coffer and open the set-up link, or use `coffer user create`."
                .to_owned(),
        ),
    }
}

async fn seed(args: SeedArgs) -> Result<(), String> {
    let app = open_or_make(args.config).await?;
    let owner = match app.accounts.by_username(&args.user).await.map_err(|e| sentence(&e))? {
        Some(owner) => owner,
        None => app.accounts.create_without_password(&args.user).await.map_err(|e| sentence(&e))?,
    };
    let bar = bar("Seeding");
    bar.set_length(args.count);
    let viewer = Viewer::Member(Arc::new(owner));
    app.resources.seed(&viewer, args.count, |done| bar.set_position(done)).await.map_err(|e| sentence(&e))?;
    bar.finish_and_clear();
    println!("{} resources are in {}'s library.", args.count, args.user);
    app.close().await;
    Ok(())
}

/// Asks `/readyz` on this machine.
async fn healthcheck(config: &Config) -> Result<(), String> {
    let host = if config.host.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { config.host };
    let address = SocketAddr::new(host, config.port);
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.take(64 << 10).read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(Duration::from_secs(3), asked)
        .await
        .map_err(|_| format!("No answer from {address} within 3 seconds."))?
        .map_err(|e| format!("No answer from {address}: {e}."))?;
    let ready = answer.lines().next().is_some_and(|status| status.contains(" 200 "));
    if ready { Ok(()) } else { Err(format!("Not ready: {}", answer.lines().last().unwrap_or_default())) }
}

fn bar(message: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_message(message)
}

/// An error for the terminal: here, where only the operator reads, with its inside.
fn sentence(error: &Error) -> String {
    match error {
        Error::Invalid(errors) => {
            errors.iter().map(|(field, message)| format!("{field}: {message}")).collect::<Vec<_>>().join("\n")
        }
        Error::Internal(inside) | Error::Unavailable(inside) | Error::OutcomeUnknown(inside) => {
            format!("{} ({inside})", error.message())
        }
        error => error.message().into_owned(),
    }
}
