//! What became of each link of a file.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Lines that a report keeps of each kind; it counts them all.
const REPORTED: usize = 500;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportReport)]
pub struct Report {
    /// The name of the file.
    pub file_name: String,
    /// The encoding, where some characters could not be read in it.
    pub charset: Option<String>,
    /// Characters that could not be read.
    pub unreadable: usize,
    /// Entries that are new.
    pub new: usize,
    /// Links whose address was kept already, or stands in the file more than once.
    pub duplicate: usize,
    /// Those of them that gave an entry tags which it did not have.
    pub merged: usize,
    /// Links that came in, but not whole.
    pub shortened: usize,
    /// Lines that could not be used.
    pub refused: usize,
    /// Links that are in the trash, and stay there.
    #[serde(default)]
    pub in_trash: usize,
    /// The first 500 of those in the trash.
    #[serde(default)]
    pub thrown_away: Vec<Duplicate>,
    /// The first 500.
    pub duplicates: Vec<Duplicate>,
    /// The first 500.
    pub shortenings: Vec<Shortening>,
    /// The first 500.
    pub refusals: Vec<Refusal>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportDuplicate)]
pub struct Duplicate {
    pub line: u64,
    pub title: String,
    /// The resource that holds the address.
    pub existing: Option<Uuid>,
    /// The tags that it got from this link.
    pub added: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportShortening)]
pub struct Shortening {
    pub line: u64,
    pub title: String,
    /// A message.
    pub what: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportRefusal)]
pub struct Refusal {
    pub line: u64,
    /// A sentence that says why.
    pub reason: String,
    /// The title or the address, as the file has it.
    pub text: String,
}

impl Report {
    pub(super) fn list_thrown_away(&mut self, mut thrown_away: Vec<Duplicate>) {
        thrown_away.sort_by_key(|link| link.line);
        self.in_trash = thrown_away.len();
        thrown_away.truncate(REPORTED);
        self.thrown_away = thrown_away;
    }

    pub(super) fn list(
        &mut self,
        mut duplicates: Vec<Duplicate>,
        mut shortenings: Vec<Shortening>,
        mut refusals: Vec<Refusal>,
    ) {
        duplicates.sort_by_key(|duplicate| duplicate.line);
        shortenings.sort_by_key(|shortening| shortening.line);
        self.duplicate = duplicates.len();
        self.merged = duplicates.iter().filter(|duplicate| !duplicate.added.is_empty()).count();
        self.shortened = shortenings.len();
        self.refused = refusals.len();
        duplicates.truncate(REPORTED);
        shortenings.truncate(REPORTED);
        refusals.truncate(REPORTED);
        (self.duplicates, self.shortenings, self.refusals) = (duplicates, shortenings, refusals);
    }
}
