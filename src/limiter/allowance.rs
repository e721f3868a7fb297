//! What a request takes beyond its first unit, once it is read how much it asks for.

use super::gcra::Quota;
use super::policy::{Policy, Rule};
use super::verdict::{QuotaStatus, Refusal};
use super::{Limiter, Target};

/// The limit by which a signed-in sender is counted.
#[derive(Clone)]
pub struct Allowance {
    limiter: Limiter,
    counted_by: Sender,
}

#[derive(Clone)]
enum Sender {
    Token([u8; 16]),
    Session([u8; 16]),
}

impl Allowance {
    pub const fn from_token(limiter: Limiter, key: [u8; 16]) -> Self {
        Self { limiter, counted_by: Sender::Token(key) }
    }

    pub const fn from_session(limiter: Limiter, id: [u8; 16]) -> Self {
        Self { limiter, counted_by: Sender::Session(id) }
    }

    /// The most units of one request; `None` where there is no limit.
    pub fn most(&self) -> Option<u32> {
        let policy = match self.counted_by {
            Sender::Token(_) => Policy::Token,
            Sender::Session(_) => Policy::Session,
        };
        match self.limiter.0.rules[policy.index()] {
            Rule { quota: Some(Quota::Rate { burst, .. }), shadow: false } => Some(burst),
            _ => None,
        }
    }

    /// Takes these units, or none; returns what is left.
    pub async fn take(&self, units: u32) -> Result<Vec<QuotaStatus>, Refusal> {
        let (limiter, now) = (&self.limiter, self.limiter.0.context.now());
        let target = match &self.counted_by {
            Sender::Token(id) => Target { policy: Policy::Token, key: limiter.keyring().token(id, now) },
            Sender::Session(id) => {
                Target { policy: Policy::Session, key: limiter.keyring().session(id, now) }
            }
        };
        let verdict = limiter.take(units, &[target]).await;
        limiter.refusal(&verdict).map_or_else(|| Ok(verdict.quota_statuses().collect()), Err)
    }
}
