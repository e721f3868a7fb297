//! What one entry becomes.

use serde::{Deserialize, Serialize};

use super::BulkChange;
use crate::resources::draft::Checked;
use crate::resources::{Change, Draft, Resource, Visibility};

/// What the undo puts back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Before {
    pub tags: Vec<String>,
    pub visibility: Visibility,
    pub pinned: bool,
    /// Changes that began before it was a field lack it.
    #[serde(default)]
    pub unread: bool,
}

/// What a step does to an entry.
pub enum Act {
    Replace(Box<Checked>),
    Trash,
    Restore,
}

/// Why a step leaves an entry as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// It is as wanted already.
    Same,
    /// It breaks a rule, such as the most tags that an entry has, or is in the trash.
    Refused,
}

impl From<&Resource> for Before {
    fn from(resource: &Resource) -> Self {
        let Resource { tags, visibility, pinned, unread, .. } = resource;
        Self { tags: tags.0.clone(), visibility: *visibility, pinned: *pinned, unread: *unread }
    }
}

/// What the change does to this entry.
pub fn act(change: &BulkChange, resource: &Resource) -> Result<Act, Skip> {
    let is_trashed = resource.trashed_at.is_some();
    match change {
        BulkChange::Trash if is_trashed => Err(Skip::Same),
        BulkChange::Trash => Ok(Act::Trash),
        BulkChange::Restore if is_trashed => Ok(Act::Restore),
        BulkChange::Restore => Err(Skip::Same),
        BulkChange::Retag(_) => {
            replace(resource, Change { tags: change.tags(resource), ..Change::default() })
        }
        _ if is_trashed => Err(Skip::Refused),
        BulkChange::Respell(_) => Err(Skip::Same),
        BulkChange::Visibility(visibility) => {
            replace(resource, Change { visibility: Some(*visibility), ..Change::default() })
        }
        BulkChange::Pin(pinned) => replace(resource, Change { pinned: Some(*pinned), ..Change::default() }),
        BulkChange::Unread(unread) => {
            replace(resource, Change { unread: Some(*unread), ..Change::default() })
        }
        BulkChange::AddTags(_) | BulkChange::RemoveTags(_) => {
            replace(resource, Change { tags: change.tags(resource), ..Change::default() })
        }
    }
}

/// What the undo does to this entry, which had this version after the change.
pub fn undo(change: &BulkChange, resource: &Resource, version: i64, before: Before) -> Result<Act, Skip> {
    let is_trashed = resource.trashed_at.is_some();
    match change {
        BulkChange::Trash if is_trashed => Ok(Act::Restore),
        BulkChange::Restore if !is_trashed => Ok(Act::Trash),
        BulkChange::Trash | BulkChange::Restore => Err(Skip::Same),
        _ if resource.version != version => Err(Skip::Refused),
        _ if is_trashed && !matches!(change, BulkChange::Retag(_)) => Err(Skip::Refused),
        _ => {
            let Before { tags, visibility, pinned, unread } = before;
            let change = Change {
                tags: Some(tags),
                visibility: Some(visibility),
                pinned: Some(pinned),
                unread: Some(unread),
                ..Change::default()
            };
            replace(resource, change)
        }
    }
}

fn replace(resource: &Resource, change: Change) -> Result<Act, Skip> {
    // Long names come from imports; what is typed was checked before the change began.
    let kept = change.tags.clone().unwrap_or_default();
    let checked = change.over(Draft::from(resource)).check_keeping(&[kept, resource.tags.0.clone()].concat());
    let checked = checked.map_err(|_| Skip::Refused)?;
    if checked.changes_nothing_of(resource) { Err(Skip::Same) } else { Ok(Act::Replace(Box::new(checked))) }
}
