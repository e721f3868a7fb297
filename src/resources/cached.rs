//! What is cached of the library, which scopes it depends on, and which scopes a change touches.

use std::marker::PhantomData;
use std::ops::Deref;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::listing::{Hit, ListParams, Listing};
use super::public::{Feed, Profile};
use super::visibility::{self, Visibility};
use super::{Resource, TagCount};
use crate::cache::{Cached, Kind, Scope, Scopes, Ttl, id_of};
use crate::identity::Viewer;

/// Together with the minute of a cached page, no answer is older than five minutes.
const HOURLY: Ttl = Ttl { soft: Duration::from_mins(4), hard: Duration::from_hours(1) };

pub static RESOURCE: Kind<Resource> = from_database("resource", Resource::SCHEMA);
pub static LISTING: Kind<Listing> = from_database("listing", Resource::SCHEMA);
pub static TAGS: Kind<Tagged> = from_database("tags", 1);
pub static PROFILE: Kind<Profile> = from_database("profile", 1);
pub static FEED: Kind<Feed> = from_database("feed", Resource::SCHEMA);
pub static ANY: Kind<Any> = from_database("any", 1);

/// For the cache's metrics.
pub static KINDS: [&str; 6] = [RESOURCE.name, LISTING.name, TAGS.name, PROFILE.name, FEED.name, ANY.name];

/// Before an entry's id, in the names of scopes.
const ENTRY: char = 'r';

const fn from_database<T>(name: &'static str, schema: u16) -> Kind<T> {
    Kind { name, schema, ttl: HOURLY, is_shared: true, is_composed: false, value: PhantomData }
}

/// The tags that a viewer sees, with counts.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Tagged {
    pub by: Option<Uuid>,
    pub tags: Vec<TagCount>,
}

/// Whether a viewer sees anything at all.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Any {
    pub by: Option<Uuid>,
    pub any: bool,
}

impl Cached for Resource {
    fn weight(&self) -> usize {
        Self::weight(self)
    }

    fn is_for(&self, viewer: Option<Uuid>) -> bool {
        visibility::may_be_seen_by(viewer, self)
    }
}

impl Cached for Listing {
    fn weight(&self) -> usize {
        let tags = self.matches.iter().flat_map(|matches| &matches.tags);
        weight_of(self.hits.iter().map(Deref::deref)) + weight_of_tags(tags) + 256
    }

    fn is_for(&self, viewer: Option<Uuid>) -> bool {
        self.hits.iter().all(|hit| hit.resource.is_for(viewer))
    }
}

impl Cached for Tagged {
    fn weight(&self) -> usize {
        weight_of_tags(&self.tags) + 64
    }

    fn is_for(&self, viewer: Option<Uuid>) -> bool {
        self.by == viewer
    }
}

impl Cached for Any {
    fn weight(&self) -> usize {
        size_of::<Self>()
    }

    fn is_for(&self, viewer: Option<Uuid>) -> bool {
        self.by == viewer
    }
}

impl Cached for Profile {
    fn weight(&self) -> usize {
        self.username.len() + self.display_name.len() + size_of::<Self>()
    }

    fn is_for(&self, _: Option<Uuid>) -> bool {
        self.public > 0
    }
}

impl Cached for Feed {
    fn weight(&self) -> usize {
        weight_of(&self.hits) + self.owner.as_ref().map_or(0, Cached::weight) + 64
    }

    /// A feed with a resource that is not public is for no viewer at all.
    fn is_for(&self, _: Option<Uuid>) -> bool {
        self.hits.iter().all(|hit| hit.resource.is_for(None))
    }
}

fn weight_of<'a>(hits: impl IntoIterator<Item = &'a Hit>) -> usize {
    hits.into_iter().map(|hit| hit.resource.weight() + hit.title_key.len() + hit.summary.len() + 96).sum()
}

fn weight_of_tags<'a>(tags: impl IntoIterator<Item = &'a TagCount>) -> usize {
    tags.into_iter().map(|tag| tag.name.len() + 64).sum()
}

/// What depends on one entry.
pub const fn scope(id: Uuid) -> Scope {
    Scope::Noun(ENTRY, id)
}

/// The scopes of every list for this viewer: their own resources and the shared ones.
pub fn list_scopes(viewer: &Viewer) -> Scopes {
    viewer.id().map_or(Scopes::one(Scope::Shared), |id| Scopes::two(Scope::User(id), Scope::Shared))
}

/// The scopes of what holds only the viewer's own.
pub fn own_scopes(viewer: &Viewer) -> Scopes {
    viewer.id().map_or(Scopes::one(Scope::Shared), |id| Scopes::one(Scope::User(id)))
}

/// Which part of what a viewer sees a cached list holds.
#[derive(Clone, Copy)]
pub enum Part {
    All,
    Counted,
    Own,
    /// What members share, for all of them.
    Shared,
}

/// The key of a list: all its parameters.
pub fn list_id(params: &ListParams, part: Part) -> [u8; 16] {
    let ListParams {
        q,
        tag,
        kind,
        pinned,
        sort,
        mine,
        state,
        created_after,
        updated_after,
        include,
        count: _,
        cursor,
        limit,
    } = params;
    let part = match part {
        Part::All => "all",
        Part::Counted => "counted",
        Part::Own => "own",
        Part::Shared => "shared",
    };
    id_of(&[
        part, q, tag, kind, pinned, sort, mine, state, created_after, updated_after, include, cursor, limit,
    ])
}

/// The scopes that a change touches; `seen` is the visibility before and after it.
pub fn touched(id: Uuid, owner: Uuid, seen: &[Visibility]) -> impl Iterator<Item = Scope> {
    let shared = seen.iter().any(|visibility| *visibility != Visibility::Private);
    [scope(id), Scope::User(owner)].into_iter().chain(shared.then_some(Scope::Shared))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_only_for_its_own_viewer() {
        let [ada, eve] = [1, 2].map(|id| Some(Uuid::from_u128(id)));
        for by in [None, ada, eve] {
            for viewer in [None, ada, eve] {
                assert_eq!(Tagged { by, tags: Vec::new() }.is_for(viewer), by == viewer);
                assert_eq!(Any { by, any: true }.is_for(viewer), by == viewer);
            }
        }
    }
}
