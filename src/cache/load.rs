//! A flight: Redis is asked, then the database, and what was found is kept where it may be.

use std::sync::Arc;
use std::time::Duration;

use super::counts::Event;
use super::entry::{Entry, Generation, MOST};
use super::flights::{Outcome, Source};
use super::freshness::{NEGATIVE, Ttl};
use super::gate::Gate;
use super::kind::{Cached, Kind, Slot};
use super::local::Held;
use super::remote::{Claim, Leased, Looked, Place, Remote};
use super::scope::Scopes;
use super::{Cache, micros};
use crate::error::{Error, Result};

/// Nobody waits longer for a load, nor a load for a place.
pub(super) const WAIT_LIMIT: Duration = Duration::from_secs(5);
/// A load that takes longer is given up; one that nobody waits for any more is still kept.
const LOAD_LIMIT: Duration = Duration::from_secs(10);
/// While another node loads, Redis is asked so often, so many times.
const BUSY_PAUSE: Duration = Duration::from_millis(15);
const BUSY_LOOKS: u32 = 10;

tokio::task_local! {
    /// Set in a load that holds a place.
    static HOLDS_PLACE: ();
}

/// Whether this is asked from inside a load that holds a place. All places may be held by loads that ask: what they
/// ask for would never get one.
pub(super) fn holds_place() -> bool {
    HOLDS_PLACE.try_with(|()| ()).is_ok()
}

/// What is to be loaded, and under which gate.
pub(super) struct Flight<T: 'static> {
    pub kind: &'static Kind<T>,
    pub slot: Slot,
    pub scopes: Scopes,
    pub gate: Gate,
    /// What is held was made then, in ticks: only something newer is an answer.
    pub newer_than: Option<i64>,
}

/// What Redis had to say.
enum Asked {
    Answer(Arc<Held>),
    /// Load it, and put it there under this claim.
    Fill(Arc<Place>, Claim),
    /// Load it, and leave Redis alone.
    Load,
}

/// What is left to do once everybody who waits has their answer.
pub(super) struct Filling {
    place: Arc<Place>,
    claim: Claim,
    entry: Option<Entry>,
}

impl Cache {
    pub(super) async fn fly<T: Cached>(
        &self,
        flight: &Flight<T>,
        load: impl Future<Output = Result<Option<T>>>,
    ) -> (Outcome, Option<Filling>) {
        let filling = match self.ask(flight).await {
            Asked::Answer(held) => {
                self.keep(flight, &held);
                return (Ok((held, Source::Redis)), None);
            }
            Asked::Fill(place, claim) => Some(Filling { place, claim, entry: None }),
            Asked::Load => None,
        };
        let began = self.context.ticks();
        let loaded = match self.load(flight.kind, load).await {
            Ok(loaded) => loaded,
            Err(error) => {
                self.counts.add(flight.kind.name, Event::LoadFailed);
                return (Err(error), filling);
            }
        };
        let cost = u32::try_from(self.context.ticks() - began).unwrap_or(u32::MAX);
        self.counts.loaded(flight.kind.name, Duration::from_micros(cost.into()));
        let ttl = if loaded.is_some() { flight.kind.ttl } else { NEGATIVE };
        let ttl = ttl.jittered(u64::from_le_bytes(self.context.random()));
        let filling = filling.map(|filling| {
            let created = Remote::redis_time(&filling.place, began);
            let generations = filling.claim.generations.clone();
            let entry = entry(flight, loaded.as_ref(), generations, (created, cost), ttl);
            Filling { entry, ..filling }
        });
        let held = Held {
            gate: flight.gate,
            made: began,
            soft: began.saturating_add(micros(ttl.soft)),
            hard: began.saturating_add(micros(ttl.hard)),
            cost,
            weight: loaded.as_ref().map_or(0, Cached::weight),
            value: loaded.map(|value| Arc::new(value) as _),
        };
        let held = Arc::new(held);
        self.keep(flight, &held);
        (Ok((held, Source::Database)), filling)
    }

    /// In memory, unless a write has overtaken the flight: what is there may be newer.
    fn keep<T>(&self, flight: &Flight<T>, held: &Arc<Held>) {
        if self.gates.of(&flight.scopes) == flight.gate {
            self.local.put(flight.slot, held.clone());
        }
    }

    /// Puts the loaded value into Redis, or gives the right to do so back.
    pub(super) async fn fill<T>(&self, flight: &Flight<T>, filling: Filling) {
        let Filling { place, claim, entry } = filling;
        if let Some(remote) = &self.remote
            && remote.fill(&place, (&flight.slot, &flight.scopes), claim, entry).await.is_err()
        {
            self.counts.add(flight.kind.name, Event::RemoteError);
        }
    }

    /// With a place among those that may load at once, unless it waits for the loads of others.
    async fn load<T>(
        &self,
        kind: &Kind<T>,
        load: impl Future<Output = Result<Option<T>>>,
    ) -> Result<Option<T>> {
        let loading = tokio::time::timeout(LOAD_LIMIT, load);
        let loaded = if kind.is_composed {
            loading.await
        } else {
            let place = tokio::time::timeout(WAIT_LIMIT, self.loads.acquire()).await;
            let Ok(Ok(_place)) = place else { return Err(Error::Busy) };
            HOLDS_PLACE.scope((), loading).await
        };
        loaded.unwrap_or(Err(Error::Busy))
    }

    async fn ask<T: Cached>(&self, flight: &Flight<T>) -> Asked {
        let Some(remote) = self.remote.as_ref().filter(|_| flight.kind.is_shared) else { return Asked::Load };
        let Some(place) = self.usable(remote, &flight.scopes) else {
            self.counts.add(flight.kind.name, Event::RemoteBypass);
            return Asked::Load;
        };
        let asked = self.ask_at(remote, &place, flight).await;
        let event = match &asked {
            Ok(Asked::Answer(_)) => Event::RemoteHit,
            Ok(_) => Event::RemoteMiss,
            Err(_) => Event::RemoteError,
        };
        self.counts.add(flight.kind.name, event);
        asked.unwrap_or(Asked::Load)
    }

    /// Where to ask Redis, if it can be believed about these scopes.
    fn usable(&self, remote: &Remote, scopes: &Scopes) -> Option<Arc<Place>> {
        let place = remote.place();
        if place.is_none() {
            self.wake_relay();
        }
        let ledger = self.ledger();
        place.filter(|_| ledger.has_looked() && !ledger.is_dirty(scopes))
    }

    async fn ask_at<T: Cached>(
        &self,
        remote: &Remote,
        place: &Arc<Place>,
        flight: &Flight<T>,
    ) -> std::result::Result<Asked, crate::redis::RedisDown> {
        let Flight { slot, scopes, .. } = flight;
        let looked = remote.look(place, slot, scopes).await?;
        if let Some(held) = self.believed(flight, place, looked) {
            return Ok(Asked::Answer(held));
        }
        let (looked, leased) = remote.lease(place, slot, scopes).await?;
        let held = self.believed(flight, place, looked);
        match (held, leased) {
            (None, Leased::Mine(claim)) => return Ok(Asked::Fill(place.clone(), claim)),
            (Some(held), Leased::Mine(claim)) => {
                remote.fill(place, (slot, scopes), claim, None).await?;
                return Ok(Asked::Answer(held));
            }
            (Some(held), Leased::Busy) => return Ok(Asked::Answer(held)),
            (None, Leased::Busy) => {}
        }
        let mut pause = tokio::time::interval(BUSY_PAUSE);
        pause.tick().await;
        for _ in 0..BUSY_LOOKS {
            pause.tick().await;
            let looked = remote.look(place, slot, scopes).await?;
            if let Some(held) = self.believed(flight, place, looked) {
                return Ok(Asked::Answer(held));
            }
        }
        Ok(Asked::Load)
    }

    /// What Redis holds, if it is good: of our version, of its time, newer than what we have, readable.
    fn believed<T: Cached>(&self, flight: &Flight<T>, place: &Place, looked: Looked) -> Option<Arc<Held>> {
        if looked.is_broken {
            self.counts.add(flight.kind.name, Event::RemoteError);
        }
        let entry = looked.entry.filter(|entry| entry.schema == flight.kind.schema)?;
        let now = self.context.ticks();
        let age = Remote::redis_time(place, now).saturating_sub(entry.created);
        // Clocks are read at two moments; more than that, and it comes from the future.
        let made = now.saturating_sub(age.max(0));
        if age < -1_000_000 || flight.newer_than.is_some_and(|than| made <= than) {
            return None;
        }
        let soft = made.saturating_add(i64::from(entry.soft_ms) * 1000);
        if now >= soft {
            return None;
        }
        let value: Option<T> = match &entry.payload {
            None => None,
            Some(payload) => Some(postcard::from_bytes(payload).ok()?),
        };
        Some(Arc::new(Held {
            gate: flight.gate,
            made,
            soft,
            hard: made.saturating_add(i64::from(entry.hard_ms) * 1000),
            cost: entry.cost_us,
            weight: value.as_ref().map_or(0, Cached::weight),
            value: value.map(|value| Arc::new(value) as _),
        }))
    }
}

/// As Redis is to have it; `None` for what is too large.
fn entry<T: Cached>(
    flight: &Flight<T>,
    loaded: Option<&T>,
    generations: Vec<Generation>,
    (created, cost_us): (i64, u32),
    ttl: Ttl,
) -> Option<Entry> {
    let payload = match loaded {
        None => None,
        Some(value) if value.weight() > MOST => return None,
        Some(value) => Some(postcard::to_stdvec(value).ok()?),
    };
    let millis = |duration: Duration| u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
    Some(Entry {
        schema: flight.kind.schema,
        created,
        soft_ms: millis(ttl.soft),
        hard_ms: millis(ttl.hard),
        cost_us,
        audience: flight.slot.audience,
        generations,
        payload,
    })
}
