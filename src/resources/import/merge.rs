//! Entries that the library holds already: they get the tags that are new to them, and nothing else changes.

use uuid::Uuid;

use super::plan::Addition;
use super::store::{self, Retagged, Tagging};
use crate::cache::Write;
use crate::resources::{fold, index_terms};
use crate::timestamp::Timestamp;

pub(super) struct Merging<'a> {
    pub tx: &'a mut Write,
    pub import_id: Uuid,
    pub owner: Uuid,
    pub now: Timestamp,
}

impl Merging<'_> {
    /// Returns the entries that it changed.
    pub async fn merge(
        &mut self,
        known: &[Addition<'_>],
        new_id: impl FnMut() -> Uuid,
    ) -> sqlx::Result<Vec<Uuid>> {
        let known: Vec<&Addition<'_>> = known.iter().filter(|addition| !addition.added.is_empty()).collect();
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let taggings: Vec<Tagging<'_>> =
            known.iter().map(|one| Tagging { resource: one.holder.id, tags: &one.added }).collect();
        store::tag(self.tx, self.owner, &taggings, new_id).await?;
        let retagged: Vec<Retagged> = known.iter().map(|addition| addition.retagged()).collect();
        store::retag(self.tx, &retagged, self.now).await?;
        let holders = known.iter().map(|addition| &addition.holder);
        store::note_merged(self.tx, self.import_id, &holders.collect::<Vec<_>>()).await?;
        let ids: Vec<Uuid> = retagged.iter().map(|retagged| retagged.id).collect();
        store::add_revisions_of(self.tx, &ids, self.owner, self.now).await?;
        Ok(ids)
    }
}

impl Addition<'_> {
    fn retagged(&self) -> Retagged {
        let names = self.holder.tags.0.iter().map(String::as_str);
        let all: Vec<&str> = names.chain(self.added.iter().map(|tag| tag.name.as_str())).collect();
        Retagged {
            id: self.holder.id,
            fold_tags: fold::fold(&all.join(" ")),
            index_terms: index_terms::with_tags(&self.holder.index_terms, &self.added),
        }
    }
}
