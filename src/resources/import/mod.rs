//! Files of links and notes: every one in them is new, already kept, or refused with its line and the reason.

pub mod api;
pub mod batch;
pub mod choices;
mod drafts;
mod entry;
mod formats;
pub mod job;
mod labels;
mod merge;
pub mod pages;
mod plan;
mod prepare;
mod reading;
pub mod recent;
mod report;
mod step;
pub(super) mod store;
#[cfg(test)]
mod tests;
mod twins;
mod undo;

use axum::body::Bytes;
use uuid::Uuid;

use self::choices::Choices;
pub use self::formats::CHOOSE_ENCODING;
use self::prepare::Slice;
pub use self::report::Report;
#[cfg(feature = "test-internals")]
pub use self::store::{Holding, held};
use super::draft::Checked;
use super::{Via, cached, tag};
use crate::cache::Scope;
use crate::timestamp::Timestamp;

/// Rows that one statement writes.
pub(super) const BATCH: usize = 500;
/// Changed resources that a commit names one by one.
const NAMED: usize = 200;

pub struct File<'a> {
    pub name: &'a str,
    pub bytes: Bytes,
    pub choices: Choices,
}

/// An entry that keeps every rule.
pub(super) struct Ready {
    pub line: u64,
    pub id: Uuid,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub checked: Checked,
    /// What the file says of the same address again.
    pub twins: Vec<Twin>,
    pub is_trashed: bool,
    /// Notes before it in its file that say the same, which are entries of their own.
    pub equal_before: u32,
    /// Older versions, the oldest first.
    pub past: Vec<Past>,
}

impl Ready {
    fn version(&self) -> i64 {
        i64::try_from(self.past.len()).unwrap_or_default() + 1
    }
}

/// An older version that keeps every rule.
pub(super) struct Past {
    pub checked: Checked,
    pub via: Via,
    pub saved_at: Timestamp,
}

/// A repetition of an entry within its file.
pub(super) struct Twin {
    pub line: u64,
    pub title: String,
    /// The tags that the entry got from it.
    pub added: Vec<String>,
}

fn touched(owner: Uuid, changed: &[Uuid]) -> Vec<Scope> {
    let mut scopes = vec![Scope::User(owner), Scope::Shared];
    if changed.len() > NAMED {
        scopes.push(Scope::All);
    } else {
        scopes.extend(changed.iter().map(|id| cached::scope(*id)));
    }
    scopes
}

/// A sentence on the tags for which there is no room.
fn tag_count(left_out: &[String]) -> String {
    format!("An entry can have at most {} tags. Left out: {}.", tag::MAX_TAGS, left_out.join(", "))
}
