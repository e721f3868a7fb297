//! Every limit, complete in one place: which clients it counts, how much it allows, what a refusal says.

use serde::{Deserialize, Serialize};

use super::gcra::Quota;

use crate::named::named;

named! {
    /// Settings are named after these: `COFFER_RATE_LIMIT_PAGES` and so on.
    #[derive(Hash, PartialOrd, Ord, Deserialize, Serialize)]
    #[serde(rename_all = "kebab-case")]
    #[repr(u8)]
    pub enum Policy {
        Pages = "pages",
        Api = "api",
        Network = "network",
        Token = "token",
        UnknownToken = "unknown-token",
        Session = "session",
        Admin = "admin",
        LoginAddress = "login-address",
        LoginAccount = "login-account",
        LoginPair = "login-pair",
        LoginAccounts = "login-accounts",
        LoginSeen = "login-seen",
        LoginDevice = "login-device",
        SecondFactor = "second-factor",
        Sudo = "sudo",
        RegisterAddress = "register-address",
        RegisterEmail = "register-email",
        RegisterNetwork = "register-network",
        ResetAddress = "reset-address",
        ResetEmail = "reset-email",
        ResetNetwork = "reset-network",
        LetterAccount = "letter-account",
        LetterEmail = "letter-email",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    Address,
    Network,
    Account,
    Pair,
    Device,
    Email,
    Token,
    Session,
}

impl ClientKind {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Network => "IPv6 /48",
            Self::Account => "account",
            Self::Pair => "address and account",
            Self::Device => "known browser",
            Self::Email => "email",
            Self::Token => "API token",
            Self::Session => "session",
        }
    }
}

impl Policy {
    pub const fn client_kind(self) -> ClientKind {
        match self {
            Self::Pages
            | Self::Api
            | Self::UnknownToken
            | Self::LoginAddress
            | Self::LoginAccounts
            | Self::RegisterAddress
            | Self::ResetAddress => ClientKind::Address,
            Self::Network | Self::RegisterNetwork | Self::ResetNetwork => ClientKind::Network,
            Self::Token => ClientKind::Token,
            Self::Session | Self::Admin => ClientKind::Session,
            Self::LoginAccount | Self::SecondFactor | Self::Sudo | Self::LetterAccount => ClientKind::Account,
            Self::LoginPair | Self::LoginSeen => ClientKind::Pair,
            Self::LoginDevice => ClientKind::Device,
            Self::RegisterEmail | Self::ResetEmail | Self::LetterEmail => ClientKind::Email,
        }
    }

    /// What it counts, for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Pages => "Page views without a login",
            Self::Api => "API requests without a login",
            Self::Network => "All requests from a network",
            Self::Token => "API requests with a token",
            Self::UnknownToken => "API requests with an unknown token",
            Self::Session => "Requests while logged in",
            Self::Admin => "Requests to the admin pages",
            Self::LoginAddress | Self::LoginAccount | Self::LoginPair | Self::LoginDevice => "Failed logins",
            Self::LoginAccounts => "Accounts tried without success",
            Self::LoginSeen => "Accounts tried before",
            Self::SecondFactor => "Wrong two-step login codes",
            Self::Sudo => "Wrong passwords when asked to confirm",
            Self::RegisterAddress | Self::RegisterEmail | Self::RegisterNetwork => "New accounts",
            Self::ResetAddress | Self::ResetEmail | Self::ResetNetwork => "Password resets",
            Self::LetterAccount | Self::LetterEmail => "Requested emails",
        }
    }

    /// The name of its setting: `COFFER_RATE_LIMIT_PAGES`.
    pub fn setting(self) -> String {
        format!("COFFER_RATE_LIMIT_{}", self.as_str().replace('-', "_").to_uppercase())
    }

    /// In the notation that `settings` parses.
    pub const fn default_quota(self) -> &'static str {
        match self {
            Self::Pages | Self::Session => "300/min burst 100",
            Self::Api | Self::UnknownToken => "60/min",
            Self::Network => "3000/min burst 1000",
            Self::Token => "600/min burst 100",
            Self::Admin => "120/min",
            Self::LoginAddress => "20/15min",
            Self::LoginAccount => "5 then 1s to 15min",
            Self::LoginPair | Self::LoginDevice | Self::Sudo => "5/15min",
            Self::SecondFactor => "10/15min",
            Self::LoginAccounts => "10/h",
            Self::LoginSeen => "once in 1h",
            Self::RegisterAddress | Self::ResetAddress | Self::LetterAccount => "5/h",
            Self::RegisterEmail | Self::ResetEmail | Self::LetterEmail => "3/h",
            Self::RegisterNetwork | Self::ResetNetwork => "30/h",
        }
    }

    /// The first sentence of a refusal.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Pages | Self::Network | Self::Session | Self::Api | Self::Token | Self::UnknownToken => {
                "You have sent too many requests."
            }
            Self::Admin => "You have sent too many requests to the admin pages.",
            Self::LoginAccount | Self::LoginPair | Self::LoginDevice => {
                "There were too many wrong passwords for this account."
            }
            Self::LoginAddress | Self::LoginAccounts | Self::LoginSeen => {
                "There were too many login attempts from your network."
            }
            Self::SecondFactor => "You have entered too many wrong codes.",
            Self::Sudo => "You have entered too many wrong passwords.",
            Self::RegisterAddress | Self::RegisterEmail | Self::RegisterNetwork => {
                "Too many accounts have been created from your network."
            }
            Self::ResetAddress | Self::ResetEmail | Self::ResetNetwork => {
                "There were too many requests to reset a password."
            }
            Self::LetterAccount | Self::LetterEmail => "You have requested too many emails.",
        }
    }

    /// A success gives its units back, so what this node remembers of other nodes' refusals may be out of date.
    pub const fn is_refunded(self) -> bool {
        matches!(
            self,
            Self::LoginAddress
                | Self::LoginAccount
                | Self::LoginPair
                | Self::LoginAccounts
                | Self::LoginDevice
                | Self::SecondFactor
                | Self::Sudo
        )
    }

    /// Counts only clients that are new to the other policy.
    pub fn only_if_new_to(self) -> Option<Self> {
        (self == Self::LoginAccounts).then_some(Self::LoginSeen)
    }

    pub const fn index(self) -> usize {
        self as usize
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `None` is off.
    pub quota: Option<Quota>,
    /// Counts, and refuses nothing.
    pub shadow: bool,
}
