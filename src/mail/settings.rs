//! The settings for mail.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

#[expect(clippy::doc_markdown, reason = "clap prints these comments as they are")]
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Mail")]
pub struct MailSettings {
    /// smtp://user:password@host:587 (STARTTLS is required, except on this machine) or smtps://user:password@host:465.
    /// ?tls=none sends unencrypted. Without it, emails are written to DATA_DIR/mail as .eml files.
    #[arg(long, env = "COFFER_SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<SecretString>,

    /// PEM file with certificate authorities for the mail server, in addition to those the system trusts.
    #[arg(long, env = "COFFER_SMTP_CA_FILE")]
    pub smtp_ca_file: Option<PathBuf>,

    /// Sender of emails: an address, or Name <address>. [default: coffer@ the base URL's host]
    #[arg(long, env = "COFFER_MAIL_FROM")]
    pub mail_from: Option<String>,
}
