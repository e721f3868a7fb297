//! The emails that coffer writes, each as text and as simple HTML.

use std::borrow::Cow;

use askama::Template;
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// Links are absolute and begin with the configured base URL.
#[derive(Clone, Debug)]
pub enum Email {
    VerifyEmail {
        username: String,
        link: String,
    },
    /// To an account whose address was given for a new account.
    AlreadyRegistered {
        log_in: String,
        reset: String,
    },
    ResetPassword {
        link: String,
    },
    PasswordChanged {
        security: String,
    },
    /// To the new address.
    ConfirmEmail {
        link: String,
    },
    /// To the old address.
    EmailChanged {
        security: String,
    },
    NewDevice {
        browser: String,
        sessions: String,
    },
    RefreshReused {
        browser: String,
        sessions: String,
    },
    SecondFactorChanged {
        on: bool,
        security: String,
    },
    /// An operator tests whether emails go out.
    Test {
        origin: String,
    },
}

#[derive(Debug, Deserialize, Serialize)]
pub struct RenderedEmail {
    pub subject: Cow<'static, str>,
    pub plain: String,
    pub html: String,
}

#[derive(Template)]
#[template(path = "mail/email.txt")]
struct Plain<'a> {
    paragraphs: &'a [String],
    link: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "mail/email.html")]
struct Html<'a> {
    subject: &'a str,
    paragraphs: &'a [String],
    link: Option<&'a str>,
}

impl Email {
    pub fn render(&self) -> Result<RenderedEmail> {
        let (subject, paragraphs, link) = self.content();
        Ok(RenderedEmail {
            subject: subject.into(),
            plain: Plain { paragraphs: &paragraphs, link }.render()?,
            html: Html { subject, paragraphs: &paragraphs, link }.render()?,
        })
    }

    fn content(&self) -> (&'static str, Vec<String>, Option<&str>) {
        match self {
            Self::VerifyEmail { username, link } => (
                "Confirm your email",
                vec![
                    format!("An account named “{username}” was created with this email. Open this link within an hour to confirm it:"),
                    "If this wasn’t you, ignore this email. Your address can’t be used without this link.".into(),
                ],
                Some(link),
            ),
            Self::AlreadyRegistered { log_in, reset } => (
                "You already have an account",
                vec![
                    "Someone tried to use this email for another account. You already have an account with this email, so nothing was changed.".into(),
                    format!("If this was you and you forgot your password, reset it at {reset} . Otherwise, log in:"),
                ],
                Some(log_in),
            ),
            Self::ResetPassword { link } => (
                "Choose a new password",
                vec!["A password reset was requested for your account. Open this link within an hour to choose a new password. If this wasn’t you, ignore this email. Your password stays the same.".into()],
                Some(link),
            ),
            Self::PasswordChanged { security } => (
                "Your password was changed",
                vec!["Your password was changed, and your other devices were logged out. If this wasn’t you, reset your password immediately:".into()],
                Some(security),
            ),
            Self::ConfirmEmail { link } => (
                "Confirm your new email",
                vec!["You asked to use this email for your account. Open this link within an hour to confirm it:".into()],
                Some(link),
            ),
            Self::EmailChanged { security } => (
                "Your email was changed",
                vec!["Your account now uses a different email, and no longer this one. If this wasn’t you, contact an administrator of this site and check your account:".into()],
                Some(security),
            ),
            Self::NewDevice { browser, sessions } => (
                "New login to your account",
                vec![format!("Your account was used to log in on a new device: {browser}. If this wasn’t you, log that device out and change your password:")],
                Some(sessions),
            ),
            Self::RefreshReused { browser, sessions } => (
                "A device was logged out for security",
                vec![format!("The key that kept {browser} logged in was used twice, so it may have been copied. coffer logged that device out. Check your other devices, and change your password if you can’t explain this:")],
                Some(sessions),
            ),
            Self::SecondFactorChanged { on, security } => (
                if *on { "Two-step login was turned on" } else { "Two-step login was turned off" },
                vec!["This change was made in your account. If this wasn’t you, change your password immediately:".into()],
                Some(security),
            ),
            Self::Test { origin } => (
                "Test email from coffer",
                vec!["Sending email works. The operator of this site requested this message as a test.".into()],
                Some(origin),
            ),
        }
    }
}
