//! Kinds of cached values, the audiences they are for, and their keys.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::freshness::Ttl;
use crate::identity::Viewer;

#[derive(Debug)]
pub struct Kind<T> {
    /// In Redis' keys and the metrics; [`super::Deps::kinds`] lists all names.
    pub name: &'static str,
    /// Raise it whenever `T` changes: entries of another version are misses.
    pub schema: u16,
    pub ttl: Ttl,
    pub is_shared: bool,
    /// Made from other kinds, as a page is. Its load waits for theirs, so it takes no permit of its own.
    pub is_composed: bool,
    pub value: PhantomData<fn() -> T>,
}

pub trait Cached: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Roughly, in bytes.
    fn weight(&self) -> usize;

    /// Whether this viewer (`None`: a visitor) may see it. Each value is checked before it is served: under a
    /// [`Shared`] key nothing else decides, and under another one a misplaced value stays private.
    fn is_for(&self, viewer: Option<Uuid>) -> bool;
}

/// For all viewers: the loader sees what a visitor sees.
#[derive(Clone, Copy, Debug)]
pub struct Public;

/// For one signed-in user: the loader sees what this user sees.
#[derive(Clone, Debug)]
pub struct Private(Viewer);

/// Loaded once for all viewers. Only those whom [`Cached::is_for`] admits learn that it exists.
#[derive(Clone, Debug)]
pub struct Shared(Option<Uuid>);

/// The viewer that the loader gets: the key's own, or a visitor.
pub trait Audience {
    fn viewer(&self) -> Viewer;
    fn id(&self) -> Option<Uuid>;
    fn asker(&self) -> Asker;
}

#[derive(Clone, Copy, Debug)]
pub struct Asker {
    pub id: Option<Uuid>,
    /// Whether the value may be for others than the asker; else it is misplaced under this key.
    pub may_be_refused: bool,
}

impl Audience for Public {
    fn viewer(&self) -> Viewer {
        Viewer::Visitor
    }

    fn id(&self) -> Option<Uuid> {
        None
    }

    fn asker(&self) -> Asker {
        Asker { id: None, may_be_refused: false }
    }
}

impl Audience for Shared {
    fn viewer(&self) -> Viewer {
        Viewer::Visitor
    }

    fn id(&self) -> Option<Uuid> {
        None
    }

    fn asker(&self) -> Asker {
        Asker { id: self.0, may_be_refused: true }
    }
}

impl Audience for Private {
    fn viewer(&self) -> Viewer {
        self.0.clone()
    }

    fn id(&self) -> Option<Uuid> {
        self.0.id()
    }

    fn asker(&self) -> Asker {
        Asker { id: self.0.id(), may_be_refused: false }
    }
}

/// Public, shared and private keys differ in type.
#[derive(Clone, Debug)]
pub struct Key<A> {
    pub audience: A,
    pub id: [u8; 16],
}

impl Key<Public> {
    pub const fn public(id: [u8; 16]) -> Self {
        Self { audience: Public, id }
    }
}

impl Key<Shared> {
    pub fn shared(viewer: &Viewer, id: [u8; 16]) -> Self {
        Self { audience: Shared(viewer.id()), id }
    }
}

impl Key<Private> {
    /// `None` for a visitor, who has only public keys.
    pub fn private(viewer: &Viewer, id: [u8; 16]) -> Option<Self> {
        viewer.member().is_some().then(|| Self { audience: Private(viewer.clone()), id })
    }
}

/// A hash of the parts, for an answer that a UUID alone does not identify.
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

/// A key without its types, as the tiers store it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EntryKey {
    pub kind: &'static str,
    /// Nil for a public or shared key.
    pub audience: Uuid,
    pub id: [u8; 16],
}

impl EntryKey {
    pub fn new<T, A: Audience>(kind: &Kind<T>, key: &Key<A>) -> Self {
        Self { kind: kind.name, audience: key.audience.id().unwrap_or_default(), id: key.id }
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
