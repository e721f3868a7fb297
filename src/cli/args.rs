//! The commands' own arguments. [`crate::config`] has the settings, which every command takes.

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
    /// Create an account; the password is read from the terminal or from standard input.
    Create {
        /// Name to log in with.
        #[arg(long)]
        username: String,
        /// Email address for password resets.
        #[arg(long)]
        email: String,
        /// admin or member.
        #[arg(long, default_value = "member")]
        role: Role,
    },
    /// List the accounts.
    List,
    /// Disable an account and end its sessions; its entries stay.
    Disable(Named),
    /// Enable an account again.
    Enable(Named),
    /// Change the role of an account to admin or member.
    Role { username: String, role: Role },
    /// Print a password reset link, which works once, for one hour.
    ResetLink(Named),
    /// Turn off two-step login for a user who has lost both the app and the recovery codes.
    SecondFactorOff(Named),
    /// Unblock an account that has reached a limit: wrong passwords, wrong codes, too many emails.
    Unlock(Named),
    /// Print an invitation link, which creates one account and works for seven days.
    Invite,
}

#[derive(Args, Clone, Debug, Deserialize, Serialize)]
pub struct Named {
    /// Username or email.
    pub username: String,
}

#[derive(Args, Clone, Debug, Deserialize, Serialize)]
pub struct AuditArgs {
    #[command(subcommand)]
    pub action: AuditAction,
}

#[derive(Clone, Debug, Deserialize, Serialize, Subcommand)]
pub enum AuditAction {
    /// Check that no event was changed, removed or moved since it was written.
    Verify {
        /// A file from `coffer audit export`, instead of the database; only the key is needed.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Export the whole trail with its seals as JSON lines, for `coffer audit verify --file` elsewhere.
    Export {
        /// The file to write; standard output if omitted.
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
    /// Create a token; it is shown only once.
    Create {
        /// Name, for example the program that will use it.
        #[arg(long)]
        name: String,
        /// Scope, for example resources:read; can be repeated.
        #[arg(long = "scope", required = true)]
        scopes: Vec<String>,
        /// Days until it expires, 1 to 365.
        #[arg(long, default_value_t = DEFAULT_DAYS)]
        days: u32,
        /// Its owner; can be omitted if there is only one account.
        #[arg(long)]
        user: Option<String>,
    },
    /// List the tokens of an account, without their secrets.
    List {
        /// Their owner; can be omitted if there is only one account.
        #[arg(long)]
        user: Option<String>,
    },
    /// Revoke a token.
    Revoke {
        /// Its id, as shown by `coffer token list`.
        id: Uuid,
        /// Its owner; can be omitted if there is only one account.
        #[arg(long)]
        user: Option<String>,
    },
}

#[derive(Args, Clone, Debug, Deserialize, Serialize)]
pub struct ExportArgs {
    /// The file to write; standard output if omitted.
    pub file: Option<PathBuf>,
    #[arg(long, default_value = "json")]
    pub format: Format,
    /// Owner of the library; can be omitted if there is only one account.
    #[arg(long)]
    pub user: Option<String>,
}

#[derive(Args, Debug)]
pub struct BackupArgs {
    /// The file to write; it must not exist yet.
    pub file: PathBuf,
    /// Include the secret key; the file can then decrypt the sealed data in the database.
    #[arg(long)]
    pub with_key: bool,
}

#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// A file from `coffer backup`.
    pub file: PathBuf,
    /// Only check that the file is intact and list its contents.
    #[arg(long)]
    pub check: bool,
}

#[derive(Args, Debug)]
pub struct MigrateArgs {
    /// Only check whether the schema is up to date; the exit status is 1 if it is not.
    #[arg(long)]
    pub check: bool,
}

#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Recount the entries of every tag before the checks. On SQLite, stop coffer first.
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
    /// Replace the current key: re-encrypt all secrets and continue the audit trail with a new key.
    /// Stop every node first.
    Rotate(Rotate),
}

#[derive(Args, Debug)]
pub struct Rotate {
    /// File with the new key, 64 hex digits; created if missing. Required if the old key comes from a setting;
    /// otherwise `secret.key` in the data directory is replaced.
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// The old key is lost: discard what is encrypted with it (queued emails and two-step logins).
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
    /// Send a test email now and print the mail server's response.
    Test {
        /// The recipient.
        address: String,
    },
}

#[derive(Args, Debug)]
pub struct ImportArgs {
    /// The bookmarks file.
    pub file: PathBuf,
    /// Owner of the library; can be omitted if there is only one account.
    #[arg(long)]
    pub user: Option<String>,
    /// Visibility of the imported links; links marked as private in the file stay private.
    #[arg(long, default_value = "private")]
    pub visibility: Visibility,
    /// The file's encoding, for example utf-8, gbk or windows-1252. [default: as declared in the file]
    #[arg(long, value_parser = charset)]
    pub charset: Option<&'static Encoding>,
    /// Make no tags of folders.
    #[arg(long)]
    pub without_folders: bool,
    /// Say what would come in, and import nothing.
    #[arg(long)]
    pub preview: bool,
    /// Address of a running coffer that takes the file, with its scheme.
    #[arg(long, value_name = "URL", requires = "token_file", conflicts_with = "user")]
    pub server: Option<String>,
    /// File with an API token of that coffer, with the scope resources:write.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct SeedArgs {
    /// How many resources to create.
    #[arg(long, default_value_t = 1000)]
    pub count: u64,
    /// Owner of the library; created without a password if it does not exist.
    #[arg(long, default_value = "demo")]
    pub user: String,
}

/// An encoding by one of its names (WHATWG Encoding § 4.2).
fn charset(label: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label(label.as_bytes())
        .ok_or_else(|| "unknown encoding; try utf-8, gbk, shift_jis or windows-1252".to_owned())
}
