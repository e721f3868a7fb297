//! Events in plain words.

use super::{Action, Outcome};

impl Action {
    pub const fn description(self, outcome: Outcome) -> &'static str {
        match (self, outcome) {
            (Self::SetUp, _) => "Created the first account",
            (Self::Register, _) => "Created an account",
            (Self::LogIn, Outcome::Done) => "Logged in",
            (Self::LogIn, Outcome::Refused) => "Failed to log in",
            (Self::LogOut, _) => "Logged out",
            (Self::Sudo, Outcome::Done) => "Confirmed the password",
            (Self::Sudo, Outcome::Refused) => "Failed to confirm the password",
            (Self::SessionEnd, _) => "Ended a session",
            (Self::SessionsEnd, _) => "Ended all sessions",
            (Self::RefreshReused, _) => "A login token was used twice, so the device was logged out",
            (Self::PasswordChange, Outcome::Done) => "Changed the password",
            (Self::PasswordChange, Outcome::Refused) => "Failed to change the password",
            (Self::PasswordResetAsk, _) => "Requested a password reset",
            (Self::PasswordReset, _) => "Reset the password",
            (Self::EmailVerify, _) => "Confirmed the email",
            (Self::EmailChange, _) => "Changed the email",
            (Self::SecondFactorOn, _) => "Turned on two-step login",
            (Self::SecondFactorOff, _) => "Turned off two-step login",
            (Self::RecoveryCodesMake, _) => "Created new recovery codes",
            (Self::RecoveryCodeUse, Outcome::Done) => "Used a recovery code",
            (Self::RecoveryCodeUse, Outcome::Refused) => "Entered a wrong recovery code",
            (Self::TokenCreate, _) => "Created an API token",
            (Self::TokenRevoke, _) => "Revoked an API token",
            (Self::WebhookCreate, _) => "Created a webhook",
            (Self::WebhookDelete, _) => "Deleted a webhook",
            (Self::InviteCreate, _) => "Created an invitation",
            (Self::InviteWithdraw, _) => "Withdrew an invitation",
            (Self::InviteAccept, _) => "Accepted an invitation",
            (Self::LimitRelease, _) => "Unblocked a client",
            (Self::UserCreate, _) => "Created an account for someone",
            (Self::UserDisable, _) => "Disabled an account",
            (Self::UserEnable, _) => "Enabled an account",
            (Self::UserRole, _) => "Changed a role",
            (Self::UserResetLink, _) => "Created a password reset link",
            (Self::UserUnlock, _) => "Unblocked an account",
            (Self::DataExport, _) => "Downloaded all data",
            (Self::AccountDelete, _) => "Deleted an account",
            (Self::KeyRotate, _) => "Changed the secret key",
            (Self::KeyLost, _) => "Replaced a lost secret key",
        }
    }
}
