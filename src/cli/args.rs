//! The commands' own arguments; the settings, which every command takes, are [`crate::config`]'s.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::identity::Role;
use crate::resources::Visibility;
use crate::resources::export::Format;
use crate::tokens::DEFAULT_DAYS;

#[derive(Args, Clone, Debug, Deserialize, Serialize)]
pub struct UserArgs {
    #[command(subcommand)]
    pub action: UserAction,
}

#[derive(Clone, Debug, Deserialize, Serialize, Subcommand)]
pub enum UserAction {
    /// Make an account; the password is read from the terminal or, piped, from standard input.
    Create {
        #[arg(long)]
        username: String,
        #[arg(long)]
        email: String,
        #[arg(long, default_value = "member")]
        role: Role,
    },
    /// List the accounts.
    List,
    /// Keep somebody out and end their sessions; what they have kept stays.
    Disable(Named),
    /// Let somebody in again.
    Enable(Named),
    /// Make somebody an admin, or a member again.
    Role { username: String, role: Role },
    /// Print a link, good for one hour and one use, by which somebody sets a new password.
    ResetLink(Named),
    /// Switch off two-step login for somebody who has lost both the app and the recovery codes.
    SecondFactorOff(Named),
    /// Let somebody try again whom the limits hold back: wrong passwords, wrong codes, too many letters.
    Unlock(Named),
    /// Print a link, good for seven days and one use, by which somebody makes an account.
    Invite,
}

#[derive(Args, Clone, Debug, Deserialize, Serialize)]
pub struct Named {
    /// Username or e-mail address.
    pub username: String,
}

#[derive(Args, Clone, Debug, Deserialize, Serialize)]
pub struct AuditArgs {
    #[command(subcommand)]
    pub action: AuditAction,
}

#[derive(Clone, Debug, Deserialize, Serialize, Subcommand)]
pub enum AuditAction {
    /// Check that no event was changed, removed, moved or cut off since it was written.
    Verify {
        /// A file that `coffer audit export` wrote, in place of the database; only the key is needed.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Write the whole trail as JSON lines with its seals, for `coffer audit verify --file` elsewhere.
    Export {
        /// The file to write; standard output when left out.
        file: Option<PathBuf>,
    },
}

#[derive(Args, Clone, Debug, Deserialize, Serialize)]
pub struct TokenArgs {
    #[command(subcommand)]
    pub action: TokenAction,
}

#[derive(Clone, Debug, Deserialize, Serialize, Subcommand)]
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
    },
    /// List somebody's tokens, without the tokens themselves.
    List {
        /// Whose they are; may be left out while there is one account.
        #[arg(long)]
        user: Option<String>,
    },
    /// Revoke a token.
    Revoke {
        /// As `coffer token list` shows it.
        id: Uuid,
        /// Whose it is; may be left out while there is one account.
        #[arg(long)]
        user: Option<String>,
    },
}

#[derive(Args, Clone, Debug, Deserialize, Serialize)]
pub struct ExportArgs {
    /// The file to write; standard output when left out.
    pub file: Option<PathBuf>,
    #[arg(long, default_value = "json")]
    pub format: Format,
    /// Whose library; may be left out while there is one account.
    #[arg(long)]
    pub user: Option<String>,
}

#[derive(Args, Debug)]
pub struct BackupArgs {
    /// The file to write, which must not exist yet.
    pub file: PathBuf,
    /// Put the secret key into it too: whoever has the file can then open what is sealed in the database.
    #[arg(long)]
    pub with_key: bool,
}

#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// The file that `coffer backup` wrote.
    pub file: PathBuf,
    /// Only check that the file is whole, and say what it holds.
    #[arg(long)]
    pub check: bool,
}

#[derive(Args, Debug)]
pub struct MigrateArgs {
    /// Only say whether the schema is up to date, and change nothing. The exit status is 1 when it is not.
    #[arg(long)]
    pub check: bool,
}

#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Count the entries of every tag anew before the checks. On SQLite stop coffer first.
    #[arg(long)]
    pub repair: bool,
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
}

#[derive(Args, Debug)]
pub struct MailArgs {
    #[command(subcommand)]
    pub action: MailAction,
}

#[derive(Debug, Subcommand)]
pub enum MailAction {
    /// Send a letter now, and say what the mail server answers.
    Test {
        /// Where to.
        address: String,
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
}

#[derive(Args, Debug)]
pub struct SeedArgs {
    /// How many resources to make.
    #[arg(long, default_value_t = 1000)]
    pub count: u64,
    /// Whose library they go to; made when it does not exist, without a password.
    #[arg(long, default_value = "demo")]
    pub user: String,
}

/// An encoding by one of its names (WHATWG Encoding § 4.2).
fn charset(label: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label(label.as_bytes())
        .ok_or_else(|| "no encoding has this name; try utf-8, gbk, shift_jis or windows-1252".to_owned())
}
