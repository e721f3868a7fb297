//! What became of each link of a file.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Lines that a report keeps of each kind; it counts them all.
const REPORTED: usize = 500;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub file_name: String,
    /// The encoding, where some characters could not be read in it.
    pub charset: Option<String>,
    pub unreadable: usize,
    pub new: usize,
    /// Links whose address was kept already, or stands in the file more than once.
    pub duplicate: usize,
    /// Those of them that gave an entry tags which it did not have.
    pub merged: usize,
    pub shortened: usize,
    pub refused: usize,
    /// Links that are in the trash, and stay there.
    #[serde(default)]
    pub in_trash: usize,
    #[serde(default)]
    pub thrown_away: Vec<Duplicate>,
    pub duplicates: Vec<Duplicate>,
    pub shortenings: Vec<Shortening>,
    pub refusals: Vec<Refusal>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicate {
    pub line: u64,
    pub title: String,
    /// The resource that holds the address.
    pub existing: Option<Uuid>,
    /// The tags that it got from this link.
    pub added: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortening {
    pub line: u64,
    pub title: String,
    /// A message.
    pub what: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub line: u64,
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
