//! The history of all nodes in Redis: one hash a span, one field a node. If Redis loses it, it begins anew.

use std::sync::Arc;

use fred::prelude::*;

use super::sample::Sample;
use super::{COARSE, COARSE_KEPT, FINE, FINE_KEPT, History, Source};
use crate::redis::{Redis, RedisDown};
use crate::timestamp::Timestamp;

/// Spans in one request when a node starts.
const BATCH: usize = 30;
/// In spans: other nodes may be this late with theirs.
const LATE: i64 = 3;

#[derive(Clone, Debug)]
pub struct Shared {
    redis: Redis,
    history: History,
}

impl Shared {
    #[must_use]
    pub fn new(redis: &Redis, history: &History) -> Self {
        Self { redis: redis.clone(), history: history.clone() }
    }

    pub async fn put(&self, span: i64, at: i64, sample: &Arc<Sample>) -> Result<(), RedisDown> {
        let own = self.history.own();
        let field = format!("{}/{}", own.instance, own.started);
        let value = serde_json::to_string(&**sample).unwrap_or_default();
        let pipeline = self.redis.pool().next().pipeline();
        let key = key(&self.redis.installation(), span, at);
        let kept = if span == FINE { FINE_KEPT } else { COARSE_KEPT };
        let queued = async {
            pipeline.hset::<(), _, _>(&key, (field, value)).await?;
            pipeline.expire::<(), _>(&key, kept + span, None).await?;
            pipeline.all::<()>().await
        };
        self.redis.run(queued).await
    }

    pub async fn learn_latest(&self, now: Timestamp) -> Result<(), RedisDown> {
        let now = now.micros() / 1_000_000;
        let fine = (1..=LATE).map(|n| (FINE, (now.div_euclid(FINE) - n) * FINE));
        let coarse = (0..=1).map(|n| (COARSE, (now.div_euclid(COARSE) - n - 1) * COARSE));
        let every_minute = now.rem_euclid(60) < FINE;
        let spans: Vec<_> = fine.chain(coarse.filter(|_| every_minute)).collect();
        self.learn(&spans).await
    }

    /// The whole day, for a node that has just started.
    pub async fn learn_everything(&self, now: Timestamp) -> Result<(), RedisDown> {
        let now = now.micros() / 1_000_000;
        let all =
            |span: i64, kept: i64| (0..=kept / span).map(move |n| (span, (now.div_euclid(span) - n) * span));
        let spans: Vec<_> = all(FINE, FINE_KEPT).chain(all(COARSE, COARSE_KEPT)).collect();
        for batch in spans.chunks(BATCH) {
            self.learn(batch).await?;
        }
        Ok(())
    }

    async fn learn(&self, spans: &[(i64, i64)]) -> Result<(), RedisDown> {
        let installation = self.redis.installation();
        let pipeline = self.redis.pool().next().pipeline();
        let asked = async {
            for (span, at) in spans {
                pipeline.hgetall::<(), _>(key(&installation, *span, *at)).await?;
            }
            pipeline.all::<Vec<std::collections::HashMap<String, String>>>().await
        };
        let answers = self.redis.run(asked).await?;
        for ((span, at), fields) in spans.iter().zip(answers) {
            for (field, value) in fields {
                // A sample of another version may be unreadable, which leaves a gap.
                if let (Some(source), Ok(sample)) = (source(&field), serde_json::from_str(&value)) {
                    self.history.learn(*span, *at, source, sample);
                }
            }
        }
        Ok(())
    }
}

fn key(installation: &str, span: i64, at: i64) -> String {
    format!("coffer:history:{installation}:{span}:{at}")
}

fn source(field: &str) -> Option<Source> {
    let (instance, started) = field.rsplit_once('/')?;
    Some(Source { instance: instance.into(), started: started.parse().ok()? })
}
