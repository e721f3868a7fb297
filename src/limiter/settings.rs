//! The settings of the limits: one for each policy, and a few for all.

use clap::Args;

use super::policy::{Policy, Rule};

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits")]
pub struct Settings {
    /// Pages for visitors, by address. Like all limits: 300/min, 300/min burst 100, off, or shadow 300/min to count without blocking.
    #[arg(long = "rate-limit-pages", env = "COFFER_RATE_LIMIT_PAGES",
          default_value = Policy::Pages.default_quota())]
    pub pages: Rule,

    /// The API without a token or a session, by address.
    #[arg(long = "rate-limit-api", env = "COFFER_RATE_LIMIT_API", default_value = Policy::Api.default_quota())]
    pub api: Rule,

    /// All requests, by IPv6 /48, the network that a provider may give to one customer.
    #[arg(long = "rate-limit-network", env = "COFFER_RATE_LIMIT_NETWORK",
          default_value = Policy::Network.default_quota())]
    pub network: Rule,

    /// The API, by token.
    #[arg(long = "rate-limit-token", env = "COFFER_RATE_LIMIT_TOKEN",
          default_value = Policy::Token.default_quota())]
    pub token: Rule,

    /// The API with unknown tokens, by address.
    #[arg(long = "rate-limit-unknown-token", env = "COFFER_RATE_LIMIT_UNKNOWN_TOKEN", help_heading = "Limits",
          default_value = Policy::UnknownToken.default_quota())]
    pub unknown_token: Rule,

    /// All requests of a logged-in browser, by session, instead of the limits by address.
    #[arg(long = "rate-limit-session", env = "COFFER_RATE_LIMIT_SESSION",
          default_value = Policy::Session.default_quota())]
    pub session: Rule,

    /// Administration, by session.
    #[arg(long = "rate-limit-admin", env = "COFFER_RATE_LIMIT_ADMIN",
          default_value = Policy::Admin.default_quota())]
    pub admin: Rule,

    /// Failed logins, by address.
    #[arg(long = "rate-limit-login-address", env = "COFFER_RATE_LIMIT_LOGIN_ADDRESS",
          default_value = Policy::LoginAddress.default_quota())]
    pub login_address: Rule,

    /// Failed logins, by account: a number of attempts, then a delay that doubles.
    #[arg(long = "rate-limit-login-account", env = "COFFER_RATE_LIMIT_LOGIN_ACCOUNT",
          default_value = Policy::LoginAccount.default_quota())]
    pub login_account: Rule,

    /// Failed logins, by address and account together.
    #[arg(long = "rate-limit-login-pair", env = "COFFER_RATE_LIMIT_LOGIN_PAIR",
          default_value = Policy::LoginPair.default_quota())]
    pub login_pair: Rule,

    /// Different accounts that one address fails to log in to.
    #[arg(long = "rate-limit-login-accounts", env = "COFFER_RATE_LIMIT_LOGIN_ACCOUNTS",
          default_value = Policy::LoginAccounts.default_quota())]
    pub login_accounts: Rule,

    /// Failed logins from a browser that has logged in to the account before; they don't count for the other limits.
    #[arg(long = "rate-limit-login-device", env = "COFFER_RATE_LIMIT_LOGIN_DEVICE",
          default_value = Policy::LoginDevice.default_quota())]
    pub login_device: Rule,

    /// Wrong two-step login codes, by account.
    #[arg(long = "rate-limit-second-factor", env = "COFFER_RATE_LIMIT_SECOND_FACTOR",
          default_value = Policy::SecondFactor.default_quota())]
    pub second_factor: Rule,

    /// Wrong passwords when a logged-in user is asked to confirm it, by account.
    #[arg(long = "rate-limit-sudo", env = "COFFER_RATE_LIMIT_SUDO",
          default_value = Policy::Sudo.default_quota())]
    pub sudo: Rule,

    /// New accounts, by address.
    #[arg(long = "rate-limit-register-address", env = "COFFER_RATE_LIMIT_REGISTER_ADDRESS",
          default_value = Policy::RegisterAddress.default_quota())]
    pub register_address: Rule,

    /// New accounts, by email address.
    #[arg(long = "rate-limit-register-email", env = "COFFER_RATE_LIMIT_REGISTER_EMAIL",
          default_value = Policy::RegisterEmail.default_quota())]
    pub register_email: Rule,

    /// New accounts, by IPv6 /48.
    #[arg(long = "rate-limit-register-network", env = "COFFER_RATE_LIMIT_REGISTER_NETWORK",
          default_value = Policy::RegisterNetwork.default_quota())]
    pub register_network: Rule,

    /// Emails with a password reset link, by address.
    #[arg(long = "rate-limit-reset-address", env = "COFFER_RATE_LIMIT_RESET_ADDRESS",
          default_value = Policy::ResetAddress.default_quota())]
    pub reset_address: Rule,

    /// Emails with a password reset link, by email.
    #[arg(long = "rate-limit-reset-email", env = "COFFER_RATE_LIMIT_RESET_EMAIL",
          default_value = Policy::ResetEmail.default_quota())]
    pub reset_email: Rule,

    /// Emails with a password reset link, by IPv6 /48.
    #[arg(long = "rate-limit-reset-network", env = "COFFER_RATE_LIMIT_RESET_NETWORK",
          default_value = Policy::ResetNetwork.default_quota())]
    pub reset_network: Rule,

    /// Confirmation emails requested by a logged-in user, by account.
    #[arg(long = "rate-limit-letter-account", env = "COFFER_RATE_LIMIT_LETTER_ACCOUNT",
          default_value = Policy::LetterAccount.default_quota())]
    pub letter_account: Rule,

    /// Confirmation emails, by email.
    #[arg(long = "rate-limit-letter-email", env = "COFFER_RATE_LIMIT_LETTER_EMAIL",
          default_value = Policy::LetterEmail.default_quota())]
    pub letter_email: Rule,

    /// Memory for the state of clients in this process, in MiB.
    #[arg(long = "rate-limit-memory", env = "COFFER_RATE_LIMIT_MEMORY",
          default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub memory: u16,

    /// Milliseconds that a request waits for Redis before the node decides on its own.
    #[arg(long = "rate-limit-patience", env = "COFFER_RATE_LIMIT_PATIENCE",
          default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub patience: u16,
}

impl Settings {
    pub fn rule(&self, policy: Policy) -> Rule {
        match policy {
            Policy::Pages => self.pages,
            Policy::Api => self.api,
            Policy::Network => self.network,
            Policy::Token => self.token,
            Policy::UnknownToken => self.unknown_token,
            Policy::Session => self.session,
            Policy::Admin => self.admin,
            Policy::LoginAddress => self.login_address,
            Policy::LoginAccount => self.login_account,
            Policy::LoginPair => self.login_pair,
            Policy::LoginAccounts => self.login_accounts,
            Policy::LoginSeen => self.login_seen(),
            Policy::LoginDevice => self.login_device,
            Policy::SecondFactor => self.second_factor,
            Policy::Sudo => self.sudo,
            Policy::RegisterAddress => self.register_address,
            Policy::RegisterEmail => self.register_email,
            Policy::RegisterNetwork => self.register_network,
            Policy::ResetAddress => self.reset_address,
            Policy::ResetEmail => self.reset_email,
            Policy::ResetNetwork => self.reset_network,
            Policy::LetterAccount => self.letter_account,
            Policy::LetterEmail => self.letter_email,
        }
    }

    /// On while the limit on different accounts is on, which needs it.
    fn login_seen(&self) -> Rule {
        let seen = || Policy::LoginSeen.default_quota().parse().ok();
        Rule { quota: self.login_accounts.quota.and_then(|_| seen()), shadow: false }
    }
}
