//! Decisions that are asked for at the same time are one script in Redis; and what is learnt from one flight answers,
//! without asking, whoever waited for the next.

use std::sync::Weak;

use super::exact::Reply;
use super::gcra::Micros;
use super::verdict::{Tier, Verdict};
use super::{Charge, Inner, local};
use crate::redis::flights;

/// Requests in one flight. Redis does nothing else meanwhile, for about a millisecond.
const MOST: usize = 128;

pub(super) type Flights = flights::Flights<Vec<Charge>, Verdict>;
pub(super) type Questions = flights::Questions<Vec<Charge>, Verdict>;
type Asked = flights::Asked<Vec<Charge>, Verdict>;

/// One flight after another, as long as the limiter is in use.
pub(super) async fn fly(inner: Weak<Inner>, mut questions: Questions) {
    while let Some(asked) = questions.gather(MOST).await {
        let Some(inner) = inner.upgrade() else { return };
        inner.answer(asked).await;
    }
}

impl Inner {
    async fn answer(&self, asked: Vec<Asked>) {
        let Some(exact) = &self.exact else { return };
        let now = self.now();
        let asked: Vec<Asked> = asked.into_iter().filter_map(|asked| self.unanswered(asked, now)).collect();
        let requests: Vec<&[Charge]> = asked.iter().map(|asked| &asked.question[..]).collect();
        let replies = if requests.is_empty() { Ok(Vec::new()) } else { exact.take(&requests).await };
        let mut replies = replies.unwrap_or_default().into_iter();
        for mut asked in asked {
            let charges = std::mem::take(&mut asked.question);
            asked.tell(match replies.next() {
                Some(reply) => {
                    self.remember(&charges, &reply, now);
                    Verdict::of(Tier::Exact, reply.now, charges, reply.answers)
                }
                None => self.decide_part(charges),
            });
        }
    }

    /// Tells those for whom the last flight has brought enough to be refused.
    fn unanswered(&self, mut asked: Asked, now: Micros) -> Option<Asked> {
        let Some(known) = self.known_refusal(&asked.question, now) else { return Some(asked) };
        let charges = std::mem::take(&mut asked.question);
        asked.tell(Verdict::of(Tier::Remembered, now, charges, known));
        None
    }

    /// By this node's clock as it was before it asked, so that it never refuses longer than Redis.
    fn remember(&self, charges: &[Charge], reply: &Reply, asked: Micros) {
        for (charge, answer) in charges.iter().zip(&reply.answers) {
            let state = charge.ask.quota.moved(answer.decision.state, reply.now, asked);
            local::remember(&self.table, charge, state);
        }
    }
}
