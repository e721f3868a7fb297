//! What frames every page: who is signed in, the form token, the one-time message.

use askama::Template;
use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use uuid::Uuid;

use super::viewer::Identity;
use crate::app::App;
use crate::config::Signup;
use crate::error::{Error, Result};

const NOTICE_COOKIE: &str = "coffer-notice";

#[derive(Clone, Debug, Default)]
pub struct Chrome {
    pub viewer: Option<Face>,
    pub csrf: String,
    pub toast: Option<Toast>,
    /// Which tab is lit: `library`, `tags`, `trash`, `import`, or none.
    pub section: &'static str,
    pub signup_open: bool,
    /// Path and query of this page, for coming back after signing in.
    pub asked: String,
}

#[derive(Clone, Debug)]
pub struct Face {
    pub username: String,
    pub display_name: String,
    pub is_admin: bool,
}

#[derive(Clone, Debug)]
pub struct Toast {
    /// `ok` or `error`.
    pub kind: &'static str,
    pub text: &'static str,
    pub undo: Option<Undo>,
}

#[derive(Clone, Debug)]
pub struct Undo {
    pub action: String,
    pub label: &'static str,
}

/// What just happened, told once on the next page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    Saved,
    Trashed(Uuid),
    Restored,
    Deleted,
    AlreadySaved,
    NotRestored,
    Welcome,
    Registered,
    SignedOut,
    AccountDeleted,
    ProfileSaved,
    LetterSent,
    AddressConfirmed,
    AddressTaken,
    PasswordChanged,
    PasswordReset,
    DeviceEnded,
    DevicesEnded,
    TokenRevoked,
    SecondFactorOff,
    StartAgain,
    TooManyCodes,
    RoleChanged,
    AccountDisabled,
    AccountEnabled,
    SessionsEnded,
    InviteWithdrawn,
    LimitReleased,
    LimitOver,
}

impl Notice {
    fn cookie(self) -> String {
        match self {
            Self::Saved => "saved".into(),
            Self::Trashed(id) => format!("trashed.{id}"),
            Self::Restored => "restored".into(),
            Self::Deleted => "deleted".into(),
            Self::AlreadySaved => "already-saved".into(),
            Self::NotRestored => "not-restored".into(),
            Self::Welcome => "welcome".into(),
            Self::Registered => "registered".into(),
            Self::SignedOut => "signed-out".into(),
            Self::AccountDeleted => "account-deleted".into(),
            Self::ProfileSaved => "profile-saved".into(),
            Self::LetterSent => "letter-sent".into(),
            Self::AddressConfirmed => "address-confirmed".into(),
            Self::AddressTaken => "address-taken".into(),
            Self::PasswordChanged => "password-changed".into(),
            Self::PasswordReset => "password-reset".into(),
            Self::DeviceEnded => "device-ended".into(),
            Self::DevicesEnded => "devices-ended".into(),
            Self::TokenRevoked => "token-revoked".into(),
            Self::SecondFactorOff => "second-factor-off".into(),
            Self::StartAgain => "start-again".into(),
            Self::TooManyCodes => "too-many-codes".into(),
            Self::RoleChanged => "role-changed".into(),
            Self::AccountDisabled => "account-disabled".into(),
            Self::AccountEnabled => "account-enabled".into(),
            Self::SessionsEnded => "sessions-ended".into(),
            Self::InviteWithdrawn => "invite-withdrawn".into(),
            Self::LimitReleased => "limit-released".into(),
            Self::LimitOver => "limit-over".into(),
        }
    }

    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "saved" => Self::Saved,
            "restored" => Self::Restored,
            "deleted" => Self::Deleted,
            "already-saved" => Self::AlreadySaved,
            "not-restored" => Self::NotRestored,
            "welcome" => Self::Welcome,
            "registered" => Self::Registered,
            "signed-out" => Self::SignedOut,
            "account-deleted" => Self::AccountDeleted,
            "profile-saved" => Self::ProfileSaved,
            "letter-sent" => Self::LetterSent,
            "address-confirmed" => Self::AddressConfirmed,
            "address-taken" => Self::AddressTaken,
            "password-changed" => Self::PasswordChanged,
            "password-reset" => Self::PasswordReset,
            "device-ended" => Self::DeviceEnded,
            "devices-ended" => Self::DevicesEnded,
            "token-revoked" => Self::TokenRevoked,
            "second-factor-off" => Self::SecondFactorOff,
            "start-again" => Self::StartAgain,
            "too-many-codes" => Self::TooManyCodes,
            "role-changed" => Self::RoleChanged,
            "account-disabled" => Self::AccountDisabled,
            "account-enabled" => Self::AccountEnabled,
            "sessions-ended" => Self::SessionsEnded,
            "invite-withdrawn" => Self::InviteWithdrawn,
            "limit-released" => Self::LimitReleased,
            "limit-over" => Self::LimitOver,
            _ => Self::Trashed(text.strip_prefix("trashed.")?.parse().ok()?),
        })
    }

    #[must_use]
    pub fn toast(self) -> Toast {
        let said = |text| Toast { kind: "ok", text, undo: None };
        let failed = |text| Toast { kind: "error", text, undo: None };
        match self {
            Self::Saved => said("Saved."),
            Self::Restored => said("Restored from the trash."),
            Self::Deleted => said("Deleted for ever."),
            Self::AlreadySaved => said("You had saved this address before. Here it is."),
            Self::NotRestored => Toast {
                kind: "error",
                ..said("Not restored: you have saved its address again meanwhile. Here is that entry.")
            },
            Self::Welcome => said("Welcome. Your library is ready."),
            Self::Registered => said(
                "Welcome. Your library is ready. A letter to your address asks you to confirm it; until then, log in with your username.",
            ),
            Self::SignedOut => said("You are logged out."),
            Self::AccountDeleted => said("Your account is deleted, with everything that was in it."),
            Self::ProfileSaved => said("Your profile is saved."),
            Self::LetterSent => said("A letter is on its way. Open its link within an hour."),
            Self::AddressConfirmed => said("Your e-mail address is confirmed."),
            Self::AddressTaken => Toast {
                kind: "error",
                ..said(
                    "Another account has confirmed this address. Use another one, or log in to that account.",
                )
            },
            Self::PasswordChanged => said("Your password is changed, and every other device is logged out."),
            Self::SecondFactorOff => said("Two-step login is off: your password alone lets you in."),
            Self::StartAgain => failed("That took too long. Log in with your password again."),
            Self::TooManyCodes => failed("Too many wrong codes. Log in with your password again."),
            Self::PasswordReset => {
                said("Your password is changed, and every device is logged out. Log in with the new one.")
            }
            Self::DeviceEnded => said("That device is logged out."),
            Self::DevicesEnded => said("Every other device is logged out."),
            Self::TokenRevoked => {
                said("The token is revoked. Programs that used it are refused from now on.")
            }
            Self::RoleChanged => said("The role is changed."),
            Self::AccountDisabled => said("The account is disabled, and logged out everywhere."),
            Self::AccountEnabled => said("The account is enabled again."),
            Self::SessionsEnded => said("Logged out everywhere."),
            Self::InviteWithdrawn => said("The invitation is withdrawn. Its link no longer works."),
            Self::LimitReleased => said("This client may go on: all nodes know it within a second."),
            Self::LimitOver => said("This client is not held back any more."),
            Self::Trashed(id) => Toast {
                undo: Some(Undo { action: format!("/resources/{id}/restore"), label: "Undo" }),
                ..said("Moved to the trash.")
            },
        }
    }
}

impl Chrome {
    #[must_use]
    pub fn of(app: &App, identity: &Identity, asked: String) -> Self {
        Self {
            viewer: identity.viewer.member().map(|member| Face {
                username: member.username.clone(),
                display_name: member.display_name.clone(),
                is_admin: identity.viewer.is_admin(),
            }),
            csrf: identity.csrf.clone(),
            signup_open: app.config.signup == Signup::Open,
            asked,
            ..Self::default()
        }
    }

    #[must_use]
    pub fn section(mut self, section: &'static str) -> Self {
        self.section = section;
        self
    }

    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.viewer.as_ref().is_some_and(|face| face.is_admin)
    }

    #[must_use]
    pub fn is_admin_section(&self) -> bool {
        ["users", "invites", "audit", "limits"].contains(&self.section)
    }

    #[must_use]
    pub fn with(mut self, notice: Notice) -> Self {
        self.toast = Some(notice.toast());
        self
    }
}

impl FromRequestParts<App> for Chrome {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let identity = parts.extensions.get::<Identity>().cloned().unwrap_or_default();
        let asked = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
        let asked = asked.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let mut chrome = Self::of(app, &identity, asked);
        chrome.toast = notice_of(&parts.headers).map(Notice::toast);
        Ok(chrome)
    }
}

fn notice_of(headers: &HeaderMap) -> Option<Notice> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| Notice::read(pair.trim().strip_prefix(NOTICE_COOKIE)?.strip_prefix('=')?))
}

/// Renders a page; the one-time message it may have shown is taken back from the browser.
pub fn page(template: &impl Template, chrome_had_toast: bool) -> Result<Response> {
    let mut response = Html(template.render()?).into_response();
    if chrome_had_toast {
        set_notice(&mut response, "", 0);
    }
    Ok(response)
}

/// Goes on to another page of ours and says there what happened.
#[must_use]
pub fn redirect(path: &str, notice: Option<Notice>) -> Response {
    let mut response = Redirect::to(path).into_response();
    if let Some(notice) = notice {
        set_notice(&mut response, &notice.cookie(), 30);
    }
    response
}

fn set_notice(response: &mut Response, value: &str, max_age: u32) {
    let cookie = format!("{NOTICE_COOKIE}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// A path of our own to go to after signing in, or the library: never another site's.
#[must_use]
pub fn local_path(next: &str) -> &str {
    let local = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(['\\', '\r', '\n', '\t'])
        && !next.chars().any(char::is_control);
    if local { next } else { "/resources" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_stays_on_the_site() {
        for good in ["/resources?q=a", "/", "/tags"] {
            assert_eq!(local_path(good), good);
        }
        for bad in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/a\nb",
            "",
            "javascript:alert(1)",
            "/\t/evil",
        ] {
            assert_eq!(local_path(bad), "/resources", "{bad}");
        }
    }

    #[test]
    fn notices_survive_their_cookie() {
        let id = Uuid::from_u128(7);
        for notice in [
            Notice::Saved,
            Notice::Trashed(id),
            Notice::Restored,
            Notice::Deleted,
            Notice::AlreadySaved,
            Notice::NotRestored,
            Notice::Welcome,
            Notice::Registered,
            Notice::SignedOut,
            Notice::AccountDeleted,
            Notice::ProfileSaved,
            Notice::LetterSent,
            Notice::AddressConfirmed,
            Notice::AddressTaken,
            Notice::PasswordChanged,
            Notice::PasswordReset,
            Notice::DeviceEnded,
            Notice::DevicesEnded,
            Notice::TokenRevoked,
            Notice::SecondFactorOff,
            Notice::StartAgain,
            Notice::TooManyCodes,
            Notice::RoleChanged,
            Notice::AccountDisabled,
            Notice::AccountEnabled,
            Notice::SessionsEnded,
            Notice::InviteWithdrawn,
            Notice::LimitReleased,
            Notice::LimitOver,
        ] {
            assert_eq!(Notice::read(&notice.cookie()), Some(notice));
        }
        assert_eq!(Notice::read("<script>"), None);
    }
}
