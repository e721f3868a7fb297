//! Many changes in one request: each is carried out by the same verb as alone, and each has its own answer.

pub mod api;
mod shape;

use uuid::Uuid;

use super::{Change, Draft, Precondition, Resource, Resources, Via, tag};
use crate::error::{Error, Result};
use crate::identity::Viewer;

/// Operations in one request.
pub const MOST: usize = 500;
/// That count as one request.
const PER_UNIT: usize = 10;

/// One change of a batch.
pub enum Operation {
    Create {
        id: Option<Uuid>,
        draft: Draft,
    },
    Change {
        id: Uuid,
        expected: Precondition,
        change: Change,
    },
    /// Adds and removes tags, whatever others the entry has.
    Tag {
        id: Uuid,
        add: Vec<String>,
        remove: Vec<String>,
    },
    Trash {
        id: Uuid,
        expected: Precondition,
    },
    Restore {
        id: Uuid,
        expected: Precondition,
    },
    /// For good, out of the trash.
    Delete {
        id: Uuid,
    },
}

impl Resources {
    /// The entry as it is then; `None` when it is deleted. A new one without an id gets the reserved id.
    ///
    /// # Errors
    /// Those of the verb.
    pub async fn carry_out(
        &self,
        viewer: &Viewer,
        operation: Operation,
        reserved: Uuid,
    ) -> Result<Option<Resource>> {
        match operation {
            Operation::Create { id: Some(id), draft } => self.put_new(viewer, id, &draft).await.map(Some),
            Operation::Create { id: None, draft } => {
                self.create_reserved(viewer, reserved, &draft).await.map(Some)
            }
            Operation::Change { id, expected, change } => {
                self.update(viewer, id, &expected, change, Via::Api).await.map(Some)
            }
            Operation::Tag { id, add, remove } => self.change_tags(viewer, id, &add, &remove).await.map(Some),
            Operation::Trash { id, expected } => {
                self.trash(viewer, id, &expected).await?;
                self.latest(viewer, id).await.map(Some)
            }
            Operation::Restore { id, expected } => self.restore(viewer, id, &expected).await.map(Some),
            Operation::Delete { id } => self.delete(viewer, id, &Precondition::None).await.map(|()| None),
        }
    }

    /// Tries again when another change was faster, as it overwrites none.
    async fn change_tags(
        &self,
        viewer: &Viewer,
        id: Uuid,
        add: &[String],
        remove: &[String],
    ) -> Result<Resource> {
        loop {
            let current = self.latest(viewer, id).await?;
            let change = Change { tags: Some(with(&current, add, remove)), ..Change::default() };
            let expected = Precondition::Version(current.version);
            match self.update(viewer, id, &expected, change, Via::Api).await {
                Err(Error::VersionConflict { .. }) => {}
                other => return other,
            }
        }
    }
}

/// The tags of the entry with some more and some fewer.
fn with(current: &Resource, add: &[String], remove: &[String]) -> Vec<String> {
    let is_removed = |name: &&String| remove.iter().any(|other| tag::fold(other) == tag::fold(name));
    current.tags.0.iter().filter(|name| !is_removed(name)).chain(add).cloned().collect()
}

/// What a batch takes of its sender's limit beyond the unit that every request takes.
pub fn units(operations: usize) -> u32 {
    u32::try_from(operations.div_ceil(PER_UNIT)).unwrap_or(u32::MAX).saturating_sub(1)
}

/// `most_units`: what the sender's limit allows at once.
///
/// # Errors
/// [`Error::Invalid`] when there are more than [`MOST`], or more than the limit ever allows, or none.
pub fn check_length(operations: usize, most_units: Option<u32>) -> Result<()> {
    let units = most_units.and_then(|units| usize::try_from(units).ok());
    let allowed = units.map_or(MOST, |units| units.saturating_mul(PER_UNIT));
    let message = match operations {
        1.. if operations <= allowed.min(MOST) => return Ok(()),
        _ if allowed < MOST => {
            format!(
                "Send 1 to {allowed} operations per request, not {operations}: your limit allows no more."
            )
        }
        _ => format!("Send 1 to {MOST} operations per request, not {operations}."),
    };
    Err(Error::field("operations", message))
}
