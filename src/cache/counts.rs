//! What the cache counts of itself.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::kind::Name;

/// How a request for an answer ended, by tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    LocalHit,
    LocalMiss,
    /// Older than it should be, because it could not be loaded.
    Stale,
    RemoteHit,
    RemoteMiss,
    /// Redis was not asked: it is away, or has not been told of a write yet.
    RemoteBypass,
    /// Redis gave no answer, or one that does not check out.
    RemoteError,
    /// Waited for somebody else's load.
    Coalesced,
    Loaded,
    LoadFailed,
}

impl Event {
    pub const ALL: [Self; 10] = [
        Self::LocalHit,
        Self::LocalMiss,
        Self::Stale,
        Self::RemoteHit,
        Self::RemoteMiss,
        Self::RemoteBypass,
        Self::RemoteError,
        Self::Coalesced,
        Self::Loaded,
        Self::LoadFailed,
    ];
}

#[derive(Debug, Default)]
pub struct Counts {
    events: [[AtomicU64; Event::ALL.len()]; Name::ALL.len()],
    touched: AtomicU64,
    heard: AtomicU64,
    heard_late: AtomicU64,
    listening: AtomicBool,
}

impl Counts {
    pub fn add(&self, name: Name, event: Event) {
        self.events[name as usize][event as usize].fetch_add(1, Ordering::Relaxed);
    }

    #[must_use]
    pub fn of(&self, name: Name, event: Event) -> u64 {
        self.events[name as usize][event as usize].load(Ordering::Relaxed)
    }

    /// Over all kinds.
    #[must_use]
    pub fn total(&self, event: Event) -> u64 {
        Name::ALL.into_iter().map(|name| self.of(name, event)).sum()
    }

    pub(super) fn touched(&self, scopes: usize) {
        self.touched.fetch_add(scopes as u64, Ordering::Relaxed);
    }

    pub(super) fn heard(&self, scopes: usize) {
        self.heard.fetch_add(scopes as u64, Ordering::Relaxed);
    }

    pub(super) fn heard_late(&self, scopes: usize) {
        self.heard_late.fetch_add(scopes as u64, Ordering::Relaxed);
    }

    pub(super) fn listening(&self, yes: bool) {
        self.listening.store(yes, Ordering::Relaxed);
    }

    /// Whether the subscriber hears the other nodes.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Relaxed)
    }

    /// Scopes invalidated by this node's own writes, by messages, by the outbox.
    #[must_use]
    pub fn invalidations(&self) -> [(&'static str, u64); 3] {
        [("write", &self.touched), ("message", &self.heard), ("outbox", &self.heard_late)]
            .map(|(source, count)| (source, count.load(Ordering::Relaxed)))
    }
}
