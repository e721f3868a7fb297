//! The settings for accounts: who may have one, for how long a login holds, and what guards it.

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::identity::{Member, Role};

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Accounts")]
pub struct AccountSettings {
    /// Who can create an account.
    #[arg(long, env = "COFFER_SIGNUP", default_value = "invite")]
    pub signup: Signup,

    /// Days of inactivity after which a session ends.
    #[arg(long, env = "COFFER_SESSION_IDLE_DAYS", default_value_t = 7,
          value_parser = clap::value_parser!(u32).range(1..=365))]
    pub session_idle_days: u32,

    /// Days after which a session ends in any case.
    #[arg(long, env = "COFFER_SESSION_MAX_DAYS", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=365))]
    pub session_max_days: u32,

    /// Days that a device stays logged in with "Keep me logged in", and a program with its refresh token.
    #[arg(long, env = "COFFER_STAY_DAYS", default_value_t = 90,
          value_parser = clap::value_parser!(u32).range(1..=365))]
    pub stay_days: u32,

    /// Who must use two-step login.
    #[arg(long, env = "COFFER_REQUIRE_2FA", default_value = "off")]
    pub require_2fa: Require2fa,

    /// Argon2id memory per password hash, in KiB.
    #[arg(long, env = "COFFER_PASSWORD_MEMORY", default_value_t = 19_456,
          value_parser = clap::value_parser!(u32).range(19_456..=1_048_576))]
    pub password_memory: u32,

    /// Argon2id passes per password hash.
    #[arg(long, env = "COFFER_PASSWORD_PASSES", default_value_t = 2,
          value_parser = clap::value_parser!(u32).range(2..=20))]
    pub password_passes: u32,
}

impl AccountSettings {
    pub fn session_idle(&self) -> Duration {
        days(self.session_idle_days)
    }

    pub fn session_max(&self) -> Duration {
        days(self.session_max_days)
    }

    pub fn stay(&self) -> Duration {
        days(self.stay_days)
    }
}

fn days(days: u32) -> Duration {
    Duration::from_hours(u64::from(days) * 24)
}

/// Who may make an account for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Signup {
    /// Only admins make accounts, on the command line.
    Closed,
    /// Anyone with an invitation link.
    Invite,
    /// Anyone who can open the page.
    Open,
}

/// Who must have a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Require2fa {
    /// No account has to; every account may.
    Off,
    /// Every admin.
    Admins,
    /// Every account.
    All,
}

impl Require2fa {
    pub fn asks(self, member: &Member) -> bool {
        match self {
            Self::Off => false,
            Self::Admins => member.role == Role::Admin,
            Self::All => true,
        }
    }
}
