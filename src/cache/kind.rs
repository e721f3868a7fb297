//! What is cached, and for whom: kinds, audiences, keys.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::freshness::Ttl;
use crate::web::viewer::Viewer;

/// Every kind by name, a closed set: metrics count by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    Resource,
    Listing,
    Tags,
    Any,
    Profile,
    Feed,
    Page,
}

impl Name {
    pub const ALL: [Self; 7] =
        [Self::Resource, Self::Listing, Self::Tags, Self::Any, Self::Profile, Self::Feed, Self::Page];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Listing => "listing",
            Self::Tags => "tags",
            Self::Any => "any",
            Self::Profile => "profile",
            Self::Feed => "feed",
            Self::Page => "page",
        }
    }
}

/// A kind of answer: what it is called, how long it is good, whether other nodes may have it.
#[derive(Debug)]
pub struct Kind<T> {
    pub name: Name,
    /// To be raised whenever `T` changes: another version's entries are misses.
    pub schema: u16,
    pub ttl: Ttl,
    /// Whether it goes to Redis too.
    pub is_shared: bool,
    /// Drawn from other kinds, as a page is. Its load takes no place among those that may load at once: it would hold
    /// it while it waits for theirs.
    pub is_composed: bool,
    pub value: PhantomData<fn() -> T>,
}

/// A value that may be cached.
pub trait Cached: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// About how many bytes it occupies.
    fn weight(&self) -> usize;

    /// Whether it may be shown to this viewer (`None`: everybody): asked of every value on its way out, so that
    /// even a fault in the keys shows nobody what is somebody else's.
    fn is_for(&self, viewer: Option<Uuid>) -> bool;
}

/// For everybody: its loader sees with a visitor's eyes.
#[derive(Clone, Copy, Debug)]
pub struct Public;

/// For one signed-in person: its loader sees with theirs.
#[derive(Clone, Debug)]
pub struct Private(Viewer);

/// Who an answer is for. The loader is handed the viewer that the key names, never another.
pub trait Audience {
    fn viewer(&self) -> Viewer;
    fn id(&self) -> Option<Uuid>;
}

impl Audience for Public {
    fn viewer(&self) -> Viewer {
        Viewer::Visitor
    }

    fn id(&self) -> Option<Uuid> {
        None
    }
}

impl Audience for Private {
    fn viewer(&self) -> Viewer {
        self.0.clone()
    }

    fn id(&self) -> Option<Uuid> {
        self.0.id()
    }
}

/// Which of its kind, and for whom: a public and a private key are different types.
#[derive(Clone, Debug)]
pub struct Key<A> {
    pub audience: A,
    pub id: [u8; 16],
}

impl Key<Public> {
    #[must_use]
    pub const fn public(id: [u8; 16]) -> Self {
        Self { audience: Public, id }
    }
}

impl Key<Private> {
    /// `None` for a visitor, whose key is a public one.
    #[must_use]
    pub fn private(viewer: &Viewer, id: [u8; 16]) -> Option<Self> {
        viewer.member().is_some().then(|| Self { audience: Private(viewer.clone()), id })
    }
}

/// The id of an answer that is asked for by more than a UUID: the question's own hash.
#[must_use]
pub fn id_of(parts: &[&str]) -> [u8; 16] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    let mut id = [0; 16];
    id.copy_from_slice(&digest.finalize()[..16]);
    id
}

/// A key without its types, as the tiers know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    pub kind: Name,
    /// Nil for the public.
    pub audience: Uuid,
    pub id: [u8; 16],
}

impl Slot {
    #[must_use]
    pub fn of<T, A: Audience>(kind: &Kind<T>, key: &Key<A>) -> Self {
        Self { kind: kind.name, audience: key.audience.id().unwrap_or_default(), id: key.id }
    }

    #[must_use]
    pub fn viewer(&self) -> Option<Uuid> {
        Some(self.audience).filter(|id| !id.is_nil())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_question_do_not_run_together() {
        assert_ne!(id_of(&["ab", "c"]), id_of(&["a", "bc"]));
        assert_ne!(id_of(&["", "x"]), id_of(&["x", ""]));
    }

    #[test]
    fn a_visitor_has_no_private_key() {
        assert!(Key::private(&Viewer::Visitor, [0; 16]).is_none());
    }
}
