//! `coffer serve`: opens everything, prints the address, and serves until a stop signal.

use std::io::Write as _;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::control::Socket;
use super::signals::Signals;
use super::{sentence, setup_link};
use crate::accounts::SETUP_LIFE;
use crate::app::App;
use crate::config::Config;
use crate::error::Error;
use crate::serve::metrics;
use crate::system::System;
use crate::telemetry::logs;
use crate::{serve, waiting};

pub async fn serve_library(config: Config) -> Result<(), String> {
    let context = System::real();
    let logs = logs::init(&config.logs, &context)?;
    let served = Box::pin(serve_until_told(config, context)).await;
    if let Err(reason) = &served
        && logs.are_json()
    {
        tracing::error!(event = "start_failed", reason, "coffer can't start");
    }
    logs.close().await;
    served
}

async fn serve_until_told(config: Config, context: System) -> Result<(), String> {
    let address = config.listen();
    let listener = TcpListener::bind(address).await.map_err(|e| cannot_listen(address, &e))?;
    let local = listener.local_addr().map_err(|e| cannot_listen(address, &e))?;
    let mut signals = Signals::listen()?;
    let scraped = metrics::bind(&config).await?;
    let app = tokio::select! {
        app = App::open_with(config, context, local, async |config| waiting::database(config, &listener).await) => app?,
        () = signals.next() => return Ok(()),
    };
    let scraped = scraped.map(|listening| tokio::spawn(metrics::serve(listening, app.clone())));
    let socket = Socket::listen(&app);
    greet(&app).await.map_err(|e| sentence(&e))?;
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
    drop(socket);
    scraped.inspect(tokio::task::JoinHandle::abort);
    Ok(())
}

/// Prints the address, and on the first start the setup link.
async fn greet(app: &App) -> Result<(), Error> {
    let origin = app.deps.public_url.address();
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
    // Standard output is the log's.
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "\n  coffer is at {origin}");
    let Some(token) = setup else { return Ok(()) };
    let link = format!("{origin}/setup/{token}");
    let kept = setup_link::write(&app.config.data_dir, &link);
    let minutes = SETUP_LIFE.as_secs() / 60;
    let _ = writeln!(out, "  Create the first account within {minutes} minutes:\n  {link}");
    let _ = match kept {
        Ok(path) => writeln!(out, "  The link is also in {}.\n", path.display()),
        Err(error) => writeln!(out, "  It could not be saved in the data directory: {error}.\n"),
    };
    Ok(())
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> String {
    let advice = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "Another program is using this port. Stop it, or set COFFER_PORT to a free port."
        }
        std::io::ErrorKind::PermissionDenied => {
            "Ports below 1024 need extra privileges. Set COFFER_PORT to 1024 or higher."
        }
        std::io::ErrorKind::AddrNotAvailable => {
            "This machine doesn't have this address. Set COFFER_HOST to one of its addresses."
        }
        _ => "Check COFFER_HOST and COFFER_PORT.",
    };
    format!("Cannot listen on {address}: {error}. {advice}")
}
