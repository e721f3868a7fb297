//! What must stand for a change to be made, so that nobody's work is replaced unseen.

use std::fmt::Write as _;

use super::{Resource, tag};
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
            Self::Tags(tags) => {
                // A change needs the version alone, however tags are spelled meanwhile.
                let is_version = || tags.hold_strongly(&format!("\"{}\"", current.version));
                tags.hold_strongly(&current.etag()) || (current.trashed_at.is_none() && is_version())
            }
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
    /// The strong `ETag` of its JSON: the version in quotes; in the trash with the moment it came there; where a tag is not
    /// spelled as it is compared, with a checksum of the spelling, which changes without a new version.
    #[must_use]
    pub fn etag(&self) -> String {
        let mut etag = format!("\"{}", self.version);
        if let Some(at) = self.trashed_at {
            let _ = write!(etag, "-trashed-{}", at.micros());
        }
        if self.tags.0.iter().any(|tag| tag::fold(tag) != *tag) {
            let _ = write!(etag, "-tags-{:08x}", crc32fast::hash(self.tags.0.join("\n").as_bytes()));
        }
        etag + "\""
    }
}
