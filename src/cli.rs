//! The command line.

pub mod args;

use std::ffi::OsString;

use clap::{Arg, ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;
use serde::{Deserialize, Serialize};

use self::args::{
    AuditArgs, BackupArgs, DoctorArgs, ExportArgs, ImportArgs, KeyArgs, MailArgs, MigrateArgs, RestoreArgs,
    SeedArgs, TokenArgs, UserArgs,
};
use crate::config::Config;
use crate::environment::{self, Variables};

const SETTINGS: &str = "Every setting can also be given as an option or a COFFER_ variable. `coffer serve --help` lists them all.";

/// A self-hosted library of links and Markdown notes.
#[derive(Debug, Parser)]
#[command(name = "coffer", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: Config,
}

#[derive(Debug)]
pub struct Invocation {
    pub command: Command,
    pub config: Box<Config>,
    /// The settings, given or default.
    pub given: ArgMatches,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the library (the default command).
    Serve,
    #[command(flatten)]
    Work(Work),
    /// Back up everything to one file, even while coffer is running.
    Backup(BackupArgs),
    /// Restore a backup to a new, empty library.
    Restore(RestoreArgs),
    /// Manage the secret key.
    Key(KeyArgs),
    /// Test email delivery.
    Mail(MailArgs),
    /// Import bookmarks: HTML of browsers and services, CSV, JSON, a list of addresses, or a ZIP of Markdown files.
    Import(ImportArgs),
    /// Bring the database schema up to date, then exit.
    Migrate(MigrateArgs),
    /// Check the configuration and everything coffer depends on, and print a fix for each problem.
    Doctor(DoctorArgs),
    /// Print the effective configuration, with secrets masked.
    Config,
    /// Check whether a running coffer is healthy; for containers without curl.
    Healthcheck,
    /// Fill a library with sample resources, to try out or benchmark coffer.
    Seed(SeedArgs),
    /// Print the OpenAPI document of the JSON API.
    Openapi,
    /// Print a completion script for your shell.
    Completions { shell: Shell },
    /// Print the manual page, for `man -l -`.
    Man,
    /// Print docs/settings.md.
    #[command(hide = true)]
    Settings,
}

/// What is done in a library that is open: by the coffer that runs on it if there is one, else by this process.
#[derive(Clone, Debug, Deserialize, Serialize, Subcommand)]
pub enum Work {
    /// Create, list and change accounts.
    User(UserArgs),
    /// Verify or export the audit trail.
    Audit(AuditArgs),
    /// Create, list and revoke API tokens.
    Token(TokenArgs),
    /// Export a library to a file: bookmarks, JSON, or Markdown in a ZIP.
    Export(ExportArgs),
}

impl Cli {
    pub fn from_args(
        arguments: impl IntoIterator<Item = OsString>,
        variables: &Variables,
    ) -> Result<Invocation, clap::Error> {
        let whole = whole();
        let mut command = variables.withhold(whole.clone());
        let refuse = |command: &mut clap::Command, message: String| {
            command.error(clap::error::ErrorKind::InvalidValue, message)
        };
        if let Err(message) = variables.check_names(&whole) {
            return Err(refuse(&mut command, message));
        }
        let extra = match variables.arguments(&whole) {
            Ok(extra) => extra,
            Err(message) => return Err(refuse(&mut command, message)),
        };
        let mut arguments = environment::without_blank(arguments.into_iter().collect(), &whole);
        let end = arguments.iter().position(|a| a == "--").unwrap_or(arguments.len());
        if takes_config(&arguments) {
            let given: Vec<String> = arguments.iter().map(|a| a.to_string_lossy().into_owned()).collect();
            let missing = extra.into_iter().filter(|extra| !is_given(&given, extra));
            arguments.splice(end..end, missing);
        }
        let given = command.try_get_matches_from(arguments)?;
        let cli = Self::from_arg_matches(&given)?;
        let command = cli.command.unwrap_or(Command::Serve);
        Ok(Invocation { command, config: Box::new(cli.config), given })
    }
}

/// All commands with all settings, which only `serve` shows in its help.
#[must_use]
pub fn whole() -> clap::Command {
    let mut command = Cli::command().mut_args(|argument| {
        let is_setting = is_setting(&argument);
        argument.global(is_setting)
    });
    // `Variables::load` reads it before the command line is parsed.
    let env_file =
        Arg::new("env-file").long("env-file").value_name("FILE").global(true).help_heading(None::<&str>);
    command = command.arg(env_file.help("File with settings, instead of `.env` in the working directory"));
    command.build();
    let command = command.mut_subcommands(|command| match command.get_name() {
        "serve" => command,
        _ => without_settings(command),
    });
    command.mut_args(hide_setting).after_help(SETTINGS)
}

fn without_settings(command: clap::Command) -> clap::Command {
    let is_leaf = !command.has_subcommands();
    let command = command.mut_args(hide_setting).mut_subcommands(without_settings);
    if is_leaf { command.after_help(SETTINGS) } else { command }
}

fn hide_setting(argument: Arg) -> Arg {
    let is_setting = is_setting(&argument);
    argument.hide(is_setting)
}

#[must_use]
pub fn is_setting(argument: &Arg) -> bool {
    argument.get_env().is_some()
}

fn takes_config(arguments: &[OsString]) -> bool {
    !arguments.iter().any(|a| a == "help")
}

/// Whether the command line itself sets what `extra` (`--name=value`) sets.
fn is_given(given: &[String], extra: &OsString) -> bool {
    let extra = extra.to_string_lossy();
    let flag = extra.split('=').next().unwrap_or(&extra);
    given.iter().any(|argument| argument == flag || argument.starts_with(&format!("{flag}=")))
}

impl Config {
    /// The configuration that these arguments give, else the defaults.
    pub fn parse<I: IntoIterator<Item = T>, T: Into<OsString> + Clone>(
        arguments: I,
    ) -> Result<Self, clap::Error> {
        let name = std::iter::once(OsString::from("coffer"));
        let mut matches =
            Cli::command().try_get_matches_from(name.chain(arguments.into_iter().map(Into::into)))?;
        Ok(Cli::from_arg_matches_mut(&mut matches)?.config)
    }
}
