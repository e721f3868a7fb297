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
    /// An operator tries whether letters go out.
    Test {
        origin: String,
    },
}

/// As it is queued.
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
                "Confirm your e-mail address",
                vec![
                    format!("Somebody, probably you, made the account “{username}” with this address. Open this link within an hour to confirm it:"),
                    "If it was not you, do nothing: nobody can use your address without this link.".into(),
                ],
                Some(link),
            ),
            Self::AlreadyRegistered { log_in, reset } => (
                "You have an account already",
                vec![
                    "Somebody, probably you, gave this address for another account. It belongs to yours, and stays with it: nothing was changed.".into(),
                    format!("If you have forgotten your password, choose a new one at {reset} . Otherwise log in:"),
                ],
                Some(log_in),
            ),
            Self::ResetPassword { link } => (
                "Choose a new password",
                vec!["Somebody, probably you, asked for a new password. Open this link within an hour to choose it. If it was not you, do nothing: your password stays as it is.".into()],
                Some(link),
            ),
            Self::PasswordChanged { security } => (
                "Your password was changed",
                vec!["Your password was changed just now, and every other device was logged out. If it was not you, choose a new one at once:".into()],
                Some(security),
            ),
            Self::ConfirmEmail { link } => (
                "Confirm your new e-mail address",
                vec!["This address is to be your account's from now on. Open this link within an hour to confirm it:".into()],
                Some(link),
            ),
            Self::EmailChanged { security } => (
                "Your e-mail address was changed",
                vec!["Your account has another e-mail address now, and this one is no longer used. If it was not you, tell the people who run this site, and look at your account:".into()],
                Some(security),
            ),
            Self::NewDevice { browser, sessions } => (
                "You logged in on a new device",
                vec![format!("Somebody, probably you, logged in with {browser}. If it was not you, log that device out and change your password:")],
                Some(sessions),
            ),
            Self::RefreshReused { browser, sessions } => (
                "A device was logged out for safety",
                vec![format!("The key that kept {browser} logged in was used twice, as it happens when somebody has copied it. That device is logged out now. Look at what else is logged in, and change your password if you know of no reason:")],
                Some(sessions),
            ),
            Self::SecondFactorChanged { on, security } => (
                if *on { "Two-step login was switched on" } else { "Two-step login was switched off" },
                vec!["This was done just now in your account. If it was not you, change your password at once:".into()],
                Some(security),
            ),
            Self::Test { origin } => (
                "A letter from coffer",
                vec!["Letters go out: whoever runs this site has asked for this one, to try it.".into()],
                Some(origin),
            ),
        }
    }
}
