//! Batches of decisions: Redis decides all waiting requests in one script.

use std::sync::Weak;

use super::exact::Reply;
use super::gcra::Micros;
use super::verdict::{Tier, Verdict};
use super::{Charge, Inner, local};
use crate::redis::batcher;

/// Requests in one batch. Redis does nothing else meanwhile, for about a millisecond.
const MAX_BATCH: usize = 128;

pub(super) type Batcher = batcher::Batcher<Vec<Charge>, Verdict>;
pub(super) type Requests = batcher::Requests<Vec<Charge>, Verdict>;
type Pending = batcher::Pending<Vec<Charge>, Verdict>;

pub(super) async fn run(inner: Weak<Inner>, mut requests: Requests) {
    while let Some(batch) = requests.next_batch(MAX_BATCH).await {
        let Some(inner) = inner.upgrade() else { return };
        inner.decide_batch(batch).await;
    }
}

impl Inner {
    async fn decide_batch(&self, batch: Vec<Pending>) {
        let Some(exact) = &self.exact else { return };
        let now = self.now();
        let batch: Vec<Pending> =
            batch.into_iter().filter_map(|pending| self.refuse_known(pending, now)).collect();
        let requests: Vec<&[Charge]> = batch.iter().map(|pending| &pending.request[..]).collect();
        let replies = if requests.is_empty() { Ok(Vec::new()) } else { exact.take(&requests).await };
        let mut replies = replies.unwrap_or_default().into_iter();
        for mut pending in batch {
            let charges = std::mem::take(&mut pending.request);
            pending.reply(match replies.next() {
                Some(reply) => {
                    self.remember(&charges, &reply, now);
                    Verdict::new(Tier::Exact, reply.now, charges, reply.answers)
                }
                None => self.decide_share(charges),
            });
        }
    }

    /// Replies to a request that the last batch has shown to be refused, without asking; returns any other.
    fn refuse_known(&self, mut pending: Pending, now: Micros) -> Option<Pending> {
        let Some(known) = self.known_refusal(&pending.request, now) else { return Some(pending) };
        let charges = std::mem::take(&mut pending.request);
        pending.reply(Verdict::new(Tier::Remembered, now, charges, known));
        None
    }

    /// `asked_at`, this node's time before it asked, makes the remembered refusal end no later than Redis' own.
    fn remember(&self, charges: &[Charge], reply: &Reply, asked_at: Micros) {
        for (charge, answer) in charges.iter().zip(&reply.answers) {
            let state = charge.check.quota.rebased(answer.decision.state, reply.now, asked_at);
            local::remember(&self.table, charge, state);
        }
    }
}
