//! What must stand for a change to be made, so that nobody's work is replaced unseen.

use super::Resource;
use crate::error::{Error, Result};
use crate::web::etag::EntityTags;

#[derive(Clone, Debug)]
pub enum Precondition {
    /// Whatever stands.
    None,
    /// The version that a form was filled in over.
    Version(i64),
    /// One of the tags of `If-Match`.
    Tags(EntityTags),
}

impl From<Option<i64>> for Precondition {
    fn from(version: Option<i64>) -> Self {
        version.map_or(Self::None, Self::Version)
    }
}

impl Precondition {
    /// # Errors
    /// [`Error::VersionConflict`] when something else stands.
    pub fn check(&self, current: &Resource) -> Result<()> {
        let holds = match self {
            Self::None => true,
            Self::Version(version) => *version == current.version,
            Self::Tags(tags) => tags.hold_strongly(&current.etag()),
        };
        if holds { Ok(()) } else { Err(Error::VersionConflict { current: current.version }) }
    }

    /// The version that a change must find; `None` where any will do.
    #[must_use]
    pub fn version(&self, current: &Resource) -> Option<i64> {
        match self {
            Self::None | Self::Tags(EntityTags::Any) => None,
            _ => Some(current.version),
        }
    }
}

impl Resource {
    /// The strong `ETag` of its JSON: the version in quotes, in the trash with the moment it came there.
    #[must_use]
    pub fn etag(&self) -> String {
        match self.trashed_at {
            None => format!("\"{}\"", self.version),
            Some(at) => format!("\"{}-trashed-{}\"", self.version, at.micros()),
        }
    }
}
