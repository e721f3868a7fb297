//! Loads that are under way, so that a thousand who ask at once cause one.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::gate::Gate;
use super::kind::Slot;
use super::local::Held;
use crate::error::{Error, Result};

/// Nobody joins a flight that is older, in microseconds: what others wrote since is not heard of for certain.
const JOINABLE: i64 = 1_000_000;

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Redis,
    Database,
}

pub type Outcome = Result<(Arc<Held>, Source)>;
type Landed = watch::Receiver<Option<Outcome>>;

#[derive(Default)]
pub struct Flights {
    /// By slot the last to start; one under an older gate goes on for those who wait for it.
    under_way: Mutex<HashMap<Slot, Flight>>,
    started: AtomicU64,
}

struct Flight {
    number: u64,
    gate: Gate,
    since: i64,
    landed: Landed,
}

/// Takes the flight off the list when it is over, however it ends.
pub struct Landing {
    flights: Arc<Flights>,
    slot: Slot,
    number: u64,
    sender: watch::Sender<Option<Outcome>>,
}

/// What somebody who needs an answer is to do.
pub enum Boarding {
    /// Wait: it is being loaded.
    Joined(Waiting),
    /// Load it: the landing is handed to whoever does.
    Leads(Waiting, Landing),
}

pub struct Waiting(Landed);

impl Flights {
    /// Joins the flight for the slot if nothing was touched since it started, else leads a new one.
    pub fn board(self: &Arc<Self>, slot: Slot, gate: Gate, now: i64) -> Boarding {
        let mut under_way = self.under_way.lock();
        if let Some(flight) = under_way.get(&slot)
            && flight.gate == gate
            && now < flight.since.saturating_add(JOINABLE)
        {
            return Boarding::Joined(Waiting(flight.landed.clone()));
        }
        let (sender, landed) = watch::channel(None);
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        under_way.insert(slot, Flight { number, gate, since: now, landed: landed.clone() });
        Boarding::Leads(Waiting(landed), Landing { flights: self.clone(), slot, number, sender })
    }
}

impl Landing {
    pub fn land(&self, outcome: Outcome) {
        self.sender.send_replace(Some(outcome));
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut under_way = self.flights.under_way.lock();
        if under_way.get(&self.slot).is_some_and(|flight| flight.number == self.number) {
            under_way.remove(&self.slot);
        }
    }
}

impl Waiting {
    pub async fn outcome(mut self) -> Outcome {
        match self.0.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            // The sender is gone: the flight panicked.
            _ => Err(Error::Internal("a load for the cache ended without an answer".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::gate::Gates;
    use super::super::kind::Name;
    use super::super::scope::{Scope, Scopes};
    use super::*;

    fn slot() -> Slot {
        Slot { kind: Name::Resource, audience: Uuid::nil(), id: [0; 16] }
    }

    #[tokio::test]
    async fn a_flight_takes_only_those_under_its_own_gate_and_only_for_a_second() {
        let (flights, gates) = (Arc::new(Flights::default()), Gates::default());
        let gate = gates.of(&Scopes::one(Scope::Shared));
        let Boarding::Leads(_, landing) = flights.board(slot(), gate, 0) else { panic!("the first leads") };
        assert!(matches!(flights.board(slot(), gate, JOINABLE - 1), Boarding::Joined(_)));
        gates.bump(&[Scope::Shared]);
        let newer = gates.of(&Scopes::one(Scope::Shared));
        let Boarding::Leads(_, second) = flights.board(slot(), newer, 5) else { panic!("a write between") };
        drop(landing);
        assert!(matches!(flights.board(slot(), newer, 5), Boarding::Joined(_)), "the newer stays listed");
        assert!(matches!(flights.board(slot(), newer, JOINABLE + 5), Boarding::Leads(..)), "too old to join");
        drop(second);
    }

    #[tokio::test]
    async fn whoever_waits_is_released_when_the_flight_dies() {
        let flights = Arc::new(Flights::default());
        let gate = Gates::default().of(&Scopes::one(Scope::Shared));
        let Boarding::Leads(waiting, landing) = flights.board(slot(), gate, 0) else {
            panic!("the first leads")
        };
        drop(landing);
        assert!(matches!(waiting.outcome().await, Err(Error::Internal(_))));
        assert!(matches!(flights.board(slot(), gate, 0), Boarding::Leads(..)));
    }
}
