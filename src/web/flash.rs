//! What just happened, told once on the next page; a cookie carries its name there.

mod changed;

use std::borrow::Cow;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::Response;
use uuid::Uuid;

pub use self::changed::{Changed, What};
use super::cookies::{self, Life, Name};
use crate::public_url::PublicUrl;

/// Until the next page must have been asked for.
const LIFE: Duration = Duration::from_secs(30);
const OK: &str = "ok";
const ERROR: &str = "error";

#[derive(Clone, Debug)]
pub struct Toast {
    /// `ok` or `error`.
    pub kind: &'static str,
    /// The flash's own name.
    pub name: &'static str,
    pub text: Cow<'static, str>,
    pub offer: Option<Offer>,
}

/// What can be done about it at once.
#[derive(Clone, Debug)]
pub struct Offer {
    pub href: String,
    pub label: &'static str,
    /// A page to open, not a change to send.
    pub is_link: bool,
}

impl Offer {
    fn change(href: String, label: &'static str) -> Self {
        Self { href, label, is_link: false }
    }

    fn page(href: String, label: &'static str) -> Self {
        Self { href, label, is_link: true }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flash {
    Saved,
    /// Saved on the way: the entry is elsewhere.
    SavedEntry(Uuid),
    Trashed(Uuid),
    Changed(Changed),
    Restored,
    TakenBack,
    VersionRestored,
    Pinned,
    Unpinned,
    Deleted,
    Emptied,
    AlreadySaved,
    NotRestored,
    Welcome,
    Registered,
    SignedOut,
    AccountDeleted,
    ProfileSaved,
    LetterSent,
    AddressConfirmed {
        elsewhere: bool,
    },
    AddressTaken,
    PasswordChanged {
        revokes_tokens: bool,
    },
    PasswordReset {
        revokes_tokens: bool,
    },
    DeviceEnded,
    DevicesEnded,
    TokenRevoked,
    SecondFactorOff {
        elsewhere: bool,
    },
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

impl Flash {
    /// All that carry nothing but their name.
    const PLAIN: [Self; 37] = [
        Self::Saved,
        Self::Restored,
        Self::TakenBack,
        Self::VersionRestored,
        Self::Pinned,
        Self::Unpinned,
        Self::Deleted,
        Self::Emptied,
        Self::AlreadySaved,
        Self::NotRestored,
        Self::Welcome,
        Self::Registered,
        Self::SignedOut,
        Self::AccountDeleted,
        Self::ProfileSaved,
        Self::LetterSent,
        Self::AddressConfirmed { elsewhere: false },
        Self::AddressConfirmed { elsewhere: true },
        Self::AddressTaken,
        Self::PasswordChanged { revokes_tokens: false },
        Self::PasswordChanged { revokes_tokens: true },
        Self::PasswordReset { revokes_tokens: false },
        Self::PasswordReset { revokes_tokens: true },
        Self::DeviceEnded,
        Self::DevicesEnded,
        Self::TokenRevoked,
        Self::SecondFactorOff { elsewhere: false },
        Self::SecondFactorOff { elsewhere: true },
        Self::StartAgain,
        Self::TooManyCodes,
        Self::RoleChanged,
        Self::AccountDisabled,
        Self::AccountEnabled,
        Self::SessionsEnded,
        Self::InviteWithdrawn,
        Self::LimitReleased,
        Self::LimitOver,
    ];

    /// The name in the cookie, the kind of toast, the sentence.
    const fn content(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Saved => ("saved", OK, "Saved."),
            Self::SavedEntry(_) => ("saved-entry", OK, "Saved."),
            Self::Trashed(_) => ("trashed", OK, "Moved to trash."),
            Self::Changed(_) => ("changed", OK, "Changed."),
            Self::TakenBack => ("taken-back", OK, "Restored from the trash, with your changes."),
            Self::VersionRestored => ("version-restored", OK, "Version restored."),
            Self::Pinned => ("pinned", OK, "Pinned."),
            Self::Unpinned => ("unpinned", OK, "Unpinned."),
            Self::Restored => ("restored", OK, "Restored from the trash."),
            Self::Deleted => ("deleted", OK, "Deleted permanently."),
            Self::Emptied => ("emptied", OK, "Trash emptied. Everything in it was permanently deleted."),
            Self::AlreadySaved => ("already-saved", OK, "You’ve already saved this link. Here it is."),
            Self::NotRestored => (
                "not-restored",
                ERROR,
                "Not restored, because you have since saved this link again. Here is that entry.",
            ),
            Self::Welcome => ("welcome", OK, "Welcome. Your library is ready."),
            Self::Registered => (
                "registered",
                OK,
                "Welcome. Your library is ready. Check your email for a link to confirm your address. Until then, log in with your username.",
            ),
            Self::SignedOut => ("signed-out", OK, "You are logged out."),
            Self::AccountDeleted => {
                ("account-deleted", OK, "Your account and everything in it have been deleted.")
            }
            Self::ProfileSaved => ("profile-saved", OK, "Profile saved."),
            Self::LetterSent => ("letter-sent", OK, "Email sent. Open its link within an hour."),
            Self::AddressConfirmed { elsewhere: false } => {
                ("address-confirmed", OK, "Your email is confirmed.")
            }
            Self::AddressConfirmed { elsewhere: true } => (
                "address-confirmed-elsewhere",
                OK,
                "Your email is confirmed. You are also logged in on other devices.",
            ),
            Self::AddressTaken => (
                "address-taken",
                ERROR,
                "This email belongs to another account. Use a different one, or log in to that account.",
            ),
            Self::PasswordChanged { revokes_tokens: false } => {
                ("password-changed", OK, "Your password has been changed. Your other devices are logged out.")
            }
            Self::PasswordChanged { revokes_tokens: true } => (
                "password-changed-tokens",
                OK,
                "Your password has been changed. Your other devices are logged out, and your API tokens are revoked.",
            ),
            Self::PasswordReset { revokes_tokens: false } => (
                "password-reset",
                OK,
                "Your password has been changed, and all devices are logged out. Log in with the new password.",
            ),
            Self::PasswordReset { revokes_tokens: true } => (
                "password-reset-tokens",
                OK,
                "Your password has been changed, all devices are logged out, and all API tokens are revoked. Log in with the new password.",
            ),
            Self::DeviceEnded => ("device-ended", OK, "Device logged out."),
            Self::DevicesEnded => ("devices-ended", OK, "Your other devices are logged out."),
            Self::TokenRevoked => ("token-revoked", OK, "Token revoked. Programs can no longer use it."),
            Self::SecondFactorOff { elsewhere: false } => {
                ("second-factor-off", OK, "Two-step login is off. You now log in with your password alone.")
            }
            Self::SecondFactorOff { elsewhere: true } => (
                "second-factor-off-elsewhere",
                OK,
                "Two-step login is off. You now log in with your password alone. You are also logged in on other devices.",
            ),
            Self::StartAgain => {
                ("start-again", ERROR, "That took too long. Log in with your password again.")
            }
            Self::TooManyCodes => {
                ("too-many-codes", ERROR, "Too many wrong codes. Log in with your password again.")
            }
            Self::RoleChanged => ("role-changed", OK, "Role changed."),
            Self::AccountDisabled => ("account-disabled", OK, "Account disabled and logged out everywhere."),
            Self::AccountEnabled => ("account-enabled", OK, "Account enabled."),
            Self::SessionsEnded => ("sessions-ended", OK, "Logged out everywhere."),
            Self::InviteWithdrawn => {
                ("invite-withdrawn", OK, "Invitation withdrawn. Its link no longer works.")
            }
            Self::LimitReleased => {
                ("limit-released", OK, "Client unblocked. This takes effect on all nodes within a second.")
            }
            Self::LimitOver => ("limit-over", OK, "This client is no longer blocked."),
        }
    }

    #[must_use]
    pub fn toast(self) -> Toast {
        if let Self::Changed(changed) = self {
            return changed.toast();
        }
        let (name, kind, text) = self.content();
        let offer = match self {
            Self::SavedEntry(id) => Some(Offer::page(format!("/resources/{id}"), "Open")),
            Self::Trashed(id) => Some(Offer::change(format!("/resources/{id}/restore"), "Undo")),
            Self::AddressConfirmed { elsewhere: true } | Self::SecondFactorOff { elsewhere: true } => {
                let href = "/settings/sessions/others/end".to_owned();
                Some(Offer::change(href, "Log out other devices"))
            }
            _ => None,
        };
        Toast { kind, name, text: text.into(), offer }
    }

    /// The flash that the page before has left, if there is one.
    #[must_use]
    pub fn from_cookie(site: &PublicUrl, headers: &HeaderMap) -> Option<Self> {
        cookies::find(site, headers, Name::Flash, Self::parse)
    }

    /// Leaves it for the page that the response leads to.
    pub fn keep(self, response: &mut Response) {
        cookies::add(response.headers_mut(), [cookies::new(Name::Flash, &self.cookie(), Life::For(LIFE))]);
    }

    /// Takes it back from the browser, once it was shown.
    pub fn forget(response: &mut Response) {
        cookies::add(response.headers_mut(), [cookies::removal(Name::Flash)]);
    }

    fn cookie(self) -> String {
        let (name, ..) = self.content();
        match self {
            Self::Changed(changed) => changed.cookie(),
            Self::Trashed(id) | Self::SavedEntry(id) => format!("{name}.{id}"),
            _ => name.to_owned(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let plain = Self::PLAIN.into_iter().find(|flash| flash.content().0 == text);
        plain.or_else(|| Changed::parse(text).map(Self::Changed)).or_else(|| {
            let (name, id) = text.split_once('.')?;
            let id = id.parse().ok()?;
            [Self::Trashed(id), Self::SavedEntry(id)].into_iter().find(|flash| flash.content().0 == name)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_survive_their_cookie() {
        for flash in Flash::PLAIN
            .into_iter()
            .chain([Flash::Trashed(Uuid::from_u128(7)), Flash::SavedEntry(Uuid::from_u128(8))])
        {
            assert_eq!(Flash::parse(&flash.cookie()), Some(flash));
        }
        assert_eq!(Flash::parse("<script>"), None);
    }
}
