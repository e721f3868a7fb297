//! Accounts that the limits hold back: which they are, and letting them try again.

use uuid::Uuid;

use super::Limiter;
use super::blocked::Blocked;
use super::key::Key;
use crate::accounts;

/// By what the limits know an account.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    pub id: Uuid,
    /// Folded, as is the e-mail address before it is looked for.
    pub username: &'a str,
    pub email: &'a str,
}

impl Limiter {
    /// Whether it is this account that is held back here.
    #[must_use]
    pub fn is_of(&self, blocked: &Blocked, account: Account<'_>) -> bool {
        let mut keys = self.keys_of(account).into_iter();
        keys.any(|key| key.today == blocked.key.today || Some(key.today) == blocked.account)
    }

    /// Forgets what was tried with this account: at this node at once, at others within seconds.
    pub async fn unlock(&self, account: Account<'_>) {
        self.forget(&self.keys_of(account)).await;
    }

    /// By the name or the address that is typed at the login, by the id once it is known, by where letters go.
    fn keys_of(&self, account: Account<'_>) -> [Key; 4] {
        let (keys, now) = (self.keyring(), self.0.context.now());
        let email = accounts::key(account.email);
        [
            keys.account(account.username, now),
            keys.account(&email, now),
            keys.member(account.id.as_bytes(), now),
            keys.email(&email, now),
        ]
    }
}
