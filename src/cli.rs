//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use encoding_rs::Encoding;
use uuid::Uuid;

use crate::accounts::Role;
use crate::config::Config;
use crate::environment::{self, Variables};
use crate::resources::Visibility;
use crate::resources::export::Format;
use crate::tokens::DEFAULT_DAYS;

/// A self-hosted library of links and Markdown notes.
#[derive(Debug, Parser)]
#[command(name = "coffer", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: Config,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the library (what happens without a command).
    Serve(#[command(flatten)] Box<Config>),
    /// Bring the database schema up to date and end.
    Migrate(#[command(flatten)] Box<Config>),
    /// Print the effective configuration, secrets masked.
    Config(ConfigArgs),
    /// Make, list and change accounts.
    User(UserArgs),
    /// Look after the audit trail.
    Audit(AuditArgs),
    /// Look after the secret key.
    Key(KeyArgs),
    /// Make, list and revoke API tokens.
    Token(TokenArgs),
    /// Import a bookmarks file (Netscape HTML, as every browser exports it).
    Import(ImportArgs),
    /// Write a library to a file: bookmarks, JSON, or Markdown in a ZIP.
    Export(ExportArgs),
    /// Fill a library with made-up resources, to try or to measure coffer.
    Seed(SeedArgs),
    /// Print the OpenAPI document of the JSON API.
    Openapi,
    /// Check the configuration and everything coffer depends on, and print the fix for what fails.
    Doctor(#[command(flatten)] Box<Config>),
    /// Ask a running coffer whether it is well; for containers without curl.
    Healthcheck(#[command(flatten)] Box<Config>),
}

#[derive(Args, Debug)]
pub struct ConfigArgs {
    #[command(flatten)]
    pub config: Box<Config>,
    /// The settings as they were given, or are by default.
    #[arg(skip)]
    pub given: ArgMatches,
}

#[derive(Args, Debug)]
pub struct UserArgs {
    #[command(subcommand)]
    pub action: UserAction,
}

#[derive(Debug, Subcommand)]
pub enum UserAction {
    /// Make an account; the password is read from the terminal or, piped, from standard input.
    Create {
        #[arg(long)]
        username: String,
        #[arg(long)]
        email: String,
        #[arg(long, default_value = "member")]
        role: Role,
        #[command(flatten)]
        config: Box<Config>,
    },
    /// List the accounts.
    List {
        #[command(flatten)]
        config: Box<Config>,
    },
    /// Keep somebody out and end their sessions; what they have kept stays.
    Disable(Named),
    /// Let somebody in again.
    Enable(Named),
    /// Make somebody an admin, or a member again.
    Role {
        username: String,
        role: Role,
        #[command(flatten)]
        config: Box<Config>,
    },
    /// Print a link, good for one hour and one use, by which somebody sets a new password.
    ResetLink(Named),
    /// Switch off two-step login for somebody who has lost both the app and the recovery codes.
    SecondFactorOff(Named),
}

#[derive(Args, Debug)]
pub struct Named {
    /// Username or e-mail address.
    pub username: String,
    #[command(flatten)]
    pub config: Config,
}

#[derive(Args, Debug)]
pub struct AuditArgs {
    #[command(subcommand)]
    pub action: AuditAction,
}

#[derive(Debug, Subcommand)]
pub enum AuditAction {
    /// Check that no event was changed, removed, moved or cut off since it was written.
    Verify {
        #[command(flatten)]
        config: Box<Config>,
    },
}

#[derive(Args, Debug)]
pub struct KeyArgs {
    #[command(subcommand)]
    pub action: KeyAction,
}

#[derive(Debug, Subcommand)]
pub enum KeyAction {
    /// Put a new key in place of the one in force: seal all secrets anew, and go on with the audit trail under it.
    /// Stop every node before.
    Rotate(Rotate),
}

#[derive(Args, Debug)]
pub struct Rotate {
    /// File with the new key, 64 hex digits; made when it is missing. Needed where a setting holds the old one;
    /// without it `secret.key` in the data directory is replaced.
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// The old key is lost: what is sealed under it is given up, letters that wait and two-step logins.
    #[arg(long)]
    pub lost: bool,
    #[command(flatten)]
    pub config: Config,
}

#[derive(Args, Debug)]
pub struct TokenArgs {
    #[command(subcommand)]
    pub action: TokenAction,
}

#[derive(Debug, Subcommand)]
pub enum TokenAction {
    /// Make a token; it is printed this once.
    Create {
        /// What it is called, such as the program that will use it.
        #[arg(long)]
        name: String,
        /// What it may do, such as resources:read; may be given several times.
        #[arg(long = "scope", required = true)]
        scopes: Vec<String>,
        /// Days for which it is good, 1 to 365.
        #[arg(long, default_value_t = DEFAULT_DAYS)]
        days: u32,
        /// Whose it is; may be left out while there is one account.
        #[arg(long)]
        user: Option<String>,
        #[command(flatten)]
        config: Box<Config>,
    },
    /// List somebody's tokens, without the tokens themselves.
    List {
        /// Whose they are; may be left out while there is one account.
        #[arg(long)]
        user: Option<String>,
        #[command(flatten)]
        config: Box<Config>,
    },
    /// Revoke a token.
    Revoke {
        /// As `coffer token list` shows it.
        id: Uuid,
        /// Whose it is; may be left out while there is one account.
        #[arg(long)]
        user: Option<String>,
        #[command(flatten)]
        config: Box<Config>,
    },
}

#[derive(Args, Debug)]
pub struct ImportArgs {
    /// The bookmarks file.
    pub file: PathBuf,
    /// Whose library it goes to; may be left out while there is one account.
    #[arg(long)]
    pub user: Option<String>,
    /// Who may see what comes in; what the file marks as private stays private.
    #[arg(long, default_value = "private")]
    pub visibility: Visibility,
    /// The file's encoding, such as utf-8, gbk or windows-1252. [default: what the file says]
    #[arg(long, value_parser = charset)]
    pub charset: Option<&'static Encoding>,
    #[command(flatten)]
    pub config: Config,
}

#[derive(Args, Debug)]
pub struct ExportArgs {
    /// The file to write; standard output when left out.
    pub file: Option<PathBuf>,
    #[arg(long, default_value = "json")]
    pub format: Format,
    /// Whose library; may be left out while there is one account.
    #[arg(long)]
    pub user: Option<String>,
    #[command(flatten)]
    pub config: Config,
}

#[derive(Args, Debug)]
pub struct SeedArgs {
    /// How many resources to make.
    #[arg(long, default_value_t = 1000)]
    pub count: u64,
    /// Whose library they go to; made when it does not exist, without a password.
    #[arg(long, default_value = "demo")]
    pub user: String,
    #[command(flatten)]
    pub config: Config,
}

impl Cli {
    /// Reads the command line and the environment.
    pub fn read(
        arguments: impl IntoIterator<Item = OsString>,
        variables: &Variables,
    ) -> Result<Command, clap::Error> {
        let mut command = variables.withhold(Self::command());
        let refuse = |command: &mut clap::Command, message: String| {
            command.error(clap::error::ErrorKind::InvalidValue, message)
        };
        command.build();
        let mut whole = Self::command();
        whole.build();
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
        let matches = command.try_get_matches_from(arguments)?;
        let mut cli = Self::from_arg_matches(&matches)?;
        if let (Some(Command::Config(args)), Some((_, given))) = (&mut cli.command, matches.subcommand()) {
            args.given = given.clone();
        }
        Ok(cli.command.unwrap_or_else(|| Command::Serve(Box::new(cli.config))))
    }
}

fn takes_config(arguments: &[OsString]) -> bool {
    !arguments.iter().any(|a| a == "openapi" || a == "help")
}

/// Whether the command line itself says what `extra` (`--name=value`) says.
fn is_given(given: &[String], extra: &OsString) -> bool {
    let extra = extra.to_string_lossy();
    let flag = extra.split('=').next().unwrap_or(&extra);
    given.iter().any(|argument| argument == flag || argument.starts_with(&format!("{flag}=")))
}

impl Config {
    /// The configuration that these command-line arguments give, everything else at its default.
    pub fn of<I: IntoIterator<Item = T>, T: Into<OsString> + Clone>(
        arguments: I,
    ) -> Result<Self, clap::Error> {
        let name = std::iter::once(OsString::from("coffer"));
        let mut matches =
            Cli::command().try_get_matches_from(name.chain(arguments.into_iter().map(Into::into)))?;
        Ok(Cli::from_arg_matches_mut(&mut matches)?.config)
    }
}

/// An encoding by one of its names (WHATWG Encoding § 4.2).
fn charset(label: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label(label.as_bytes())
        .ok_or_else(|| "no encoding has this name; try utf-8, gbk, shift_jis or windows-1252".to_owned())
}
