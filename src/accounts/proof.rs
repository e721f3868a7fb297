//! What a proof grants: the one table for all places that begin or renew a session or sudo mode.
//!
//! `docs/asvs.md` has the same table; a test compares the two, and another one walks it.

use crate::identity::Member;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The password of an account that has no second factor.
    Password,
    /// The password of an account that has a second factor.
    PasswordWithoutCode,
    PasswordAndCode,
    PasswordAndRecoveryCode,
    /// The password was chosen a moment ago, with the account.
    NewAccount,
    /// The cookie of a device that is kept logged in.
    KeptDevice,
    /// The password without a code, by a logged-in member.
    SessionAndPassword,
    /// A factor was set up, changed or removed by a member in sudo mode.
    SudoAndFactor,
    /// The link that confirms an address, by a logged-in member.
    SessionAndAddressLink,
    ResetLink,
}

/// What a proof does for the browser's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionGrant {
    No,
    /// Reaches only the page that asks for a code.
    CodePage,
    /// A new one, or the same under a new id.
    Begins,
    /// The one that there is.
    GoesOn,
}

/// What a proof does for sudo mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SudoGrant {
    No,
    Begins,
    /// Sudo mode stays as it was, and lasts no longer.
    GoesOn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grants {
    pub session: SessionGrant,
    pub sudo: SudoGrant,
}

/// A member, and how they have proved who they are.
#[derive(Clone, Debug)]
pub struct Proved {
    pub member: Member,
    pub by: Proof,
}

impl Proof {
    pub const ALL: [Self; 10] = [
        Self::Password,
        Self::PasswordWithoutCode,
        Self::PasswordAndCode,
        Self::PasswordAndRecoveryCode,
        Self::NewAccount,
        Self::KeptDevice,
        Self::SessionAndPassword,
        Self::SudoAndFactor,
        Self::SessionAndAddressLink,
        Self::ResetLink,
    ];

    #[must_use]
    pub const fn grants(self) -> Grants {
        let (session, sudo) = match self {
            Self::Password | Self::PasswordAndCode | Self::PasswordAndRecoveryCode | Self::NewAccount => {
                (SessionGrant::Begins, SudoGrant::Begins)
            }
            Self::PasswordWithoutCode => (SessionGrant::CodePage, SudoGrant::No),
            Self::KeptDevice => (SessionGrant::Begins, SudoGrant::No),
            Self::SessionAndPassword | Self::SudoAndFactor => (SessionGrant::Begins, SudoGrant::GoesOn),
            Self::SessionAndAddressLink => (SessionGrant::GoesOn, SudoGrant::GoesOn),
            Self::ResetLink => (SessionGrant::No, SudoGrant::No),
        };
        Grants { session, sudo }
    }

    pub(super) const fn of_password(member: &Member) -> Self {
        if member.second_factor { Self::PasswordWithoutCode } else { Self::Password }
    }

    #[must_use]
    pub fn lacks_code(self) -> bool {
        self.grants().session == SessionGrant::CodePage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The row of the table in `docs/asvs.md`.
    fn row(proof: Proof) -> String {
        let proved = match proof {
            Proof::Password => "the password, where there is no second factor",
            Proof::PasswordWithoutCode => "the password, where there is one",
            Proof::PasswordAndCode => "the password and a code of the app",
            Proof::PasswordAndRecoveryCode => "the password and a recovery code",
            Proof::NewAccount => {
                "a new account with its password (registering, an invitation, the setup link)"
            }
            Proof::KeptDevice => "the cookie of a device that is kept logged in",
            Proof::SessionAndPassword => {
                "a session and the password, where there is a second factor (changing the password)"
            }
            Proof::SudoAndFactor => {
                "sudo mode and a change of a factor (setting up, changing, switching off, new recovery codes)"
            }
            Proof::SessionAndAddressLink => "a session and the link to a new address",
            Proof::ResetLink => "the link for a new password",
        };
        let session = match proof.grants().session {
            SessionGrant::No => "none",
            SessionGrant::CodePage => "none, but the question for the code",
            SessionGrant::Begins => "under a new id",
            SessionGrant::GoesOn => "the same",
        };
        let sudo = match proof.grants().sudo {
            SudoGrant::No => "none",
            SudoGrant::Begins => "ten minutes",
            SudoGrant::GoesOn => "what is left of it",
        };
        format!("| {proved} | {session} | {sudo} |")
    }

    #[test]
    fn the_table_for_people_says_the_same() {
        let docs = include_str!("../../docs/asvs.md");
        let table = Proof::ALL.map(row).join("\n");
        assert!(docs.contains(&format!("|---|---|---|\n{table}\n\n")), "docs/asvs.md should hold\n{table}");
    }
}
