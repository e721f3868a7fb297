//! What each command does.

mod backup;
mod control;
mod export;
mod healthcheck;
mod key;
mod library;
mod mail;
mod manual;
mod output;
mod people;
mod rotation;
mod schema;
mod serve;
mod setup_link;
mod signals;
mod token;
mod trail;
mod work;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use crate::app::{self, App};
use crate::cli::{Command, Invocation};
use crate::config::Config;
use crate::db::Opening;
use crate::doctor;
use crate::error::Error;
use crate::identity::Member;
use crate::system::System;

/// The error says what to do.
pub fn run(invocation: Invocation) -> Result<(), String> {
    // Here and not in `main`: the program's crate would compile every command's future once more.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start its worker threads: {error}"))?;
    let done = runtime.block_on(carry_out(invocation));
    // Does not wait for what hangs, such as a DNS lookup.
    runtime.shutdown_background();
    done
}

async fn carry_out(invocation: Invocation) -> Result<(), String> {
    let config = *invocation.config;
    match invocation.command {
        Command::Serve => Box::pin(serve::serve_library(config)).await,
        Command::Work(work) => Box::pin(work::run(work, config)).await,
        Command::Backup(args) => Box::pin(backup::backup(args, config)).await,
        Command::Restore(args) => Box::pin(backup::restore(args, config)).await,
        Command::Key(args) => key::run(args.action, config).await,
        Command::Mail(args) => mail::run(args.action, config).await,
        Command::Import(args) => Box::pin(library::import(args, config)).await,
        Command::Migrate(args) if args.check => schema::check(&config).await,
        Command::Migrate(_) => schema::migrate(&config).await,
        Command::Doctor(args) => doctor::run(config, args.repair).await,
        Command::Config => {
            for (name, value) in config.effective(&invocation.given) {
                output::print(format_args!("{name}={value}\n"))?;
            }
            doctor::settings::check(&config).map_err(|refused| refused.join("\n"))
        }
        Command::Healthcheck => healthcheck::run(&config).await,
        Command::Seed(args) => Box::pin(library::seed(args, config)).await,
        Command::Openapi => output::print(format_args!("{:#}\n", app::openapi(""))),
        Command::Completions { shell } => output::print(manual::completions(shell)),
        Command::Man => output::print(manual::page()?),
        Command::Settings => output::print(manual::settings()),
    }
}

async fn open_or_make(config: Config) -> Result<Arc<App>, String> {
    open_as(config, Opening::Create).await
}

/// The address is not used.
async fn open_as(config: Config, opening: Opening) -> Result<Arc<App>, String> {
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, config.port));
    App::open_as(config, System::real(), nowhere, opening).await
}

/// The user named, or the only one.
async fn owner(app: &App, named: Option<&str>) -> Result<Member, String> {
    if let Some(username) = named {
        let found = app.accounts.by_username(username).await.map_err(|e| sentence(&e))?;
        return found
            .ok_or_else(|| format!("There is no account {username}. `coffer user list` shows them all."));
    }
    let mut all = app.accounts.all().await.map_err(|e| sentence(&e))?;
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err("There is more than one account. Choose one with --user.".to_owned()),
        (None, _) => {
            Err("There is no account yet. Start coffer and open the setup link, or use `coffer user create`."
                .to_owned())
        }
    }
}

/// For the operator's terminal, so with the inside.
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
