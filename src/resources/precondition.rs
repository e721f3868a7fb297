//! The version that a change must find, so that no change overwrites another one unseen.

use std::fmt::Write as _;

use super::{Resource, tag};
use crate::error::Result;
use crate::web::etag::EntityTags;

#[derive(Clone, Debug)]
pub enum Precondition {
    /// Any version will do.
    None,
    /// The version that a form was opened with.
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
    /// [`Error::VersionConflict`] when another version is current.
    pub fn check(&self, current: &Resource) -> Result<()> {
        let holds = match self {
            Self::None => true,
            Self::Version(version) => *version == current.version,
            Self::Tags(tags) => {
                // The version is enough for a change, even if a tag was respelled since.
                let is_version = || tags.hold_strongly(&format!("\"{}\"", current.version));
                tags.hold_strongly(&current.etag()) || is_version()
            }
        };
        if holds { Ok(()) } else { Err(current.conflict()) }
    }

    /// The version that a change must find; `None` where any will do.
    pub fn version(&self, current: &Resource) -> Option<i64> {
        match self {
            Self::None | Self::Tags(EntityTags::Any) => None,
            _ => Some(current.version),
        }
    }
}

impl Resource {
    /// The strong `ETag` of its JSON: the version in quotes. Where a tag is spelled unlike its folded form, a checksum of the
    /// spelling follows, and so do an icon and a dead link, since these change without a new version.
    pub fn etag(&self) -> String {
        self.etag.get_or_compute(|| self.compute_etag())
    }

    fn compute_etag(&self) -> String {
        let mut etag = format!("\"{}", self.version);
        if self.tags.0.iter().any(|tag| tag::fold(tag) != *tag) {
            let _ = write!(etag, "-tags-{:08x}", crc32fast::hash(self.tags.0.join("\n").as_bytes()));
        }
        if let Some(icon) = self.icon_id {
            let _ = write!(etag, "-icon-{:08x}", icon.as_fields().0);
        }
        if self.broken_since.is_some() {
            etag.push_str("-broken");
        }
        etag + "\""
    }
}
