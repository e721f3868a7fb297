//! Sessions and tokens that were good within minutes, so that this node can choose a request's limit without a lookup.
//!
//! It authenticates nothing. Only what was good is kept, so that guesses can't fill it.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};
use tower_sessions::session::Id;

use crate::identity::Identity;
use crate::system::System;

/// Since the last use.
const KNOWN_FOR: Duration = Duration::from_mins(15);
/// A use this soon after the last one is not noted.
const EVERY: Duration = Duration::from_secs(30);
const SESSIONS: u64 = 20_000;
const TOKENS: u64 = 20_000;

pub struct Known {
    sessions: Cache<i128, Arc<Seen>>,
    /// When each was used, in ticks, by the beginning of its hash.
    tokens: Cache<TokenKey, i64>,
    context: System,
}

/// A signed-in session, as it was at its last use.
struct Seen {
    identity: Identity,
    at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenKey(pub [u8; 16]);

impl AsRef<[u8]> for TokenKey {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl TokenKey {
    pub fn new(token: &[u8]) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&Sha256::digest(token)[..16]);
        Self(key)
    }

    /// One of 64 shares of all tokens. Guesses can't learn in which a good token is.
    pub const fn share(self) -> u8 {
        1 + self.0[0] % 64
    }
}

impl Known {
    pub fn new(context: &System) -> Self {
        Self { sessions: recent(SESSIONS), tokens: recent(TOKENS), context: context.clone() }
    }

    /// The session's user, if it was used within minutes.
    pub fn session(&self, id: Id) -> Option<Identity> {
        let seen = self.sessions.get(&id.0)?;
        self.is_within(seen.at, KNOWN_FOR).then(|| seen.identity.clone())
    }

    /// Call it with what the store has just said.
    pub fn note_session(&self, id: Id, identity: &Identity) {
        if identity.viewer.member().is_none() {
            return self.forget_session(id);
        }
        let is_noted = self.sessions.get(&id.0).is_some_and(|seen| {
            self.is_within(seen.at, EVERY) && seen.identity.viewer.is_admin() == identity.viewer.is_admin()
        });
        if !is_noted {
            let seen = Seen { identity: identity.clone(), at: self.context.ticks() };
            self.sessions.insert(id.0, Arc::new(seen));
        }
    }

    pub fn forget_session(&self, id: Id) {
        self.sessions.invalidate(&id.0);
    }

    pub fn has_token(&self, key: TokenKey) -> bool {
        self.tokens.get(&key).is_some_and(|at| self.is_within(at, KNOWN_FOR))
    }

    /// Call it when the store has just said that it is good.
    pub fn note_token(&self, token: &str) {
        let key = TokenKey::new(token.as_bytes());
        if self.tokens.get(&key).is_none_or(|at| !self.is_within(at, EVERY)) {
            self.tokens.insert(key, self.context.ticks());
        }
    }

    pub fn forget_token(&self, token: &str) {
        self.tokens.invalidate(&TokenKey::new(token.as_bytes()));
    }

    fn is_within(&self, at: i64, span: Duration) -> bool {
        let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        self.context.ticks().saturating_sub(at) < span
    }
}

/// Keeps the entries that were used last.
fn recent<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>(
    entries: u64,
) -> Cache<K, V> {
    Cache::builder().max_capacity(entries).eviction_policy(EvictionPolicy::lru()).build()
}
