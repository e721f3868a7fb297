//! One transaction of an import: a slice of the file is written.

use std::collections::HashSet;

use uuid::Uuid;

use super::merge::Merging;
use super::plan::Plan;
use super::store::{self, Batch, Earlier, Tagging};
use super::{Ready, Report, Slice};
use crate::cache::Write;
use crate::error::{Error, Result};
use crate::resources::Resources;
use crate::timestamp::Timestamp;

/// An entry that another one saves at the same moment is known by the next round.
const ROUNDS: usize = 3;

pub(super) struct Step<'a> {
    pub resources: &'a Resources,
    pub tx: &'a mut Write,
    pub import_id: Uuid,
    pub owner: Uuid,
    pub now: Timestamp,
}

/// The ids of what a step has written.
#[derive(Default)]
pub(super) struct Saved {
    pub new: Vec<Uuid>,
    /// Entries that were there before.
    pub changed: Vec<Uuid>,
}

impl Step<'_> {
    pub async fn write(&mut self, slice: &Slice, report: &mut Report) -> Result<Saved> {
        let mut open: Vec<&Ready> = slice.ready.iter().collect();
        let mut saved = Saved::default();
        for _ in 0..ROUNDS {
            let earlier = Earlier { owner: self.owner, import: self.import_id };
            let mut plan = Plan::new(self.tx, earlier, open).await?;
            let written = self.insert(&plan.new).await?;
            let (new, missed) = plan.new.into_iter().partition(|ready| written.contains(&ready.id));
            (plan.new, open) = (new, missed);
            let Self { resources, tx, import_id, owner, now } = self;
            let mut merging = Merging { tx, import_id: *import_id, owner: *owner, now: *now };
            saved.changed.extend(merging.merge(&plan.known, || resources.context.new_id()).await?);
            saved.new.extend(written);
            report.take(&plan);
            if open.is_empty() {
                return Ok(saved);
            }
        }
        Err(Error::Internal("entries of an import are neither new nor known".to_owned()))
    }

    /// The ids of what was written: another transaction may be faster.
    async fn insert(&mut self, new: &[&Ready]) -> Result<HashSet<Uuid>> {
        let batch = Batch { import: self.import_id, owner: self.owner, entries: new, now: self.now };
        let written = store::insert(self.tx, &batch).await?;
        let is_written: HashSet<Uuid> = written.iter().copied().collect();
        let entries: Vec<&Ready> =
            new.iter().copied().filter(|ready| is_written.contains(&ready.id)).collect();
        let taggings: Vec<Tagging<'_>> = entries.iter().map(|ready| (*ready).into()).collect();
        store::tag(self.tx, self.owner, &taggings, || self.resources.context.new_id()).await?;
        if !written.is_empty() {
            store::add_revisions_of(self.tx, &written, self.owner, self.now).await?;
            store::add_past_revisions(self.tx, self.owner, &entries).await?;
        }
        Ok(is_written)
    }
}
