//! Accounts that limits block: which they are, and how they are unlocked.

use uuid::Uuid;

use super::Limiter;
use super::blocked::Blocked;
use super::key::ClientKey;

#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    pub id: Uuid,
    /// Folded; the email address is folded before it is used.
    pub username: &'a str,
    pub email: &'a str,
}

impl Limiter {
    pub fn is_of(&self, blocked: &Blocked, account: Account<'_>) -> bool {
        let mut keys = self.keys_of(account).into_iter();
        keys.any(|key| key.today == blocked.key.today || Some(key.today) == blocked.account)
    }

    /// Forgets the attempts with this account: at this node at once, at others within seconds.
    pub async fn unlock(&self, account: Account<'_>) {
        self.forget(&self.keys_of(account)).await;
    }

    /// The name or address typed at the log-in, the id, and the address of emails.
    fn keys_of(&self, account: Account<'_>) -> [ClientKey; 4] {
        let (keys, now) = (self.keyring(), self.0.context.now());
        let email = crate::names::key(account.email);
        [
            keys.account(account.username, now),
            keys.account(&email, now),
            keys.member(account.id.as_bytes(), now),
            keys.email(&email, now),
        ]
    }
}
