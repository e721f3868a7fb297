//! Events in plain words.

use super::{Action, Outcome};

impl Action {
    pub const fn description(self, outcome: Outcome) -> &'static str {
        match (self, outcome) {
            (Self::SetUp, _) => "Made the first account",
            (Self::Register, _) => "Registered",
            (Self::LogIn, Outcome::Done) => "Logged in",
            (Self::LogIn, Outcome::Refused) => "Failed to log in",
            (Self::LogOut, _) => "Logged out",
            (Self::Sudo, Outcome::Done) => "Confirmed the password",
            (Self::Sudo, Outcome::Refused) => "Failed to confirm the password",
            (Self::SessionEnd, _) => "Ended a session",
            (Self::SessionsEnd, _) => "Ended all sessions",
            (Self::RefreshReused, _) => "A used sign-in token came again, so its device was logged out",
            (Self::PasswordChange, Outcome::Done) => "Changed the password",
            (Self::PasswordChange, Outcome::Refused) => "Failed to change the password",
            (Self::PasswordResetAsk, _) => "Asked for a password reset",
            (Self::PasswordReset, _) => "Set a new password by a reset link",
            (Self::EmailVerify, _) => "Confirmed the e-mail address",
            (Self::EmailChange, _) => "Changed the e-mail address",
            (Self::SecondFactorOn, _) => "Turned the second factor on",
            (Self::SecondFactorOff, _) => "Turned the second factor off",
            (Self::RecoveryCodesMake, _) => "Made new recovery codes",
            (Self::RecoveryCodeUse, Outcome::Done) => "Used a recovery code",
            (Self::RecoveryCodeUse, Outcome::Refused) => "Tried a wrong recovery code",
            (Self::TokenCreate, _) => "Made an API token",
            (Self::TokenRevoke, _) => "Revoked an API token",
            (Self::InviteCreate, _) => "Made an invitation",
            (Self::InviteWithdraw, _) => "Withdrew an invitation",
            (Self::InviteAccept, _) => "Accepted an invitation",
            (Self::LimitRelease, _) => "Let a client go on that a limit held back",
            (Self::UserCreate, _) => "Made an account",
            (Self::UserDisable, _) => "Disabled an account",
            (Self::UserEnable, _) => "Enabled an account",
            (Self::UserRole, _) => "Changed a role",
            (Self::UserResetLink, _) => "Made a password reset link",
            (Self::UserUnlock, _) => "Let an account go on that limits held back",
            (Self::DataExport, _) => "Exported everything",
            (Self::AccountDelete, _) => "Deleted an account",
            (Self::KeyRotate, _) => "Changed the secret key",
            (Self::KeyLost, _) => "Began with another secret key, as the one before is lost",
        }
    }
}
