//! Links of a file that the library holds already: they bring their new tags, and nothing else changes.

use std::collections::HashMap;

use uuid::Uuid;

use super::report::{Duplicate, Shortening};
use super::store::{Holder, Holding, Retagged, Tagging};
use super::{Ready, store, tag_count};
use crate::cache::Write;
use crate::error::Result;
use crate::resources::draft::url_key;
use crate::resources::tag::{self, TagName};
use crate::resources::{fold, index_terms};
use crate::timestamp::Timestamp;

/// What became of some known links.
#[derive(Default)]
pub(super) struct Known {
    pub duplicates: Vec<Duplicate>,
    pub shortenings: Vec<Shortening>,
    pub changed: Vec<Uuid>,
}

pub(super) struct Merging<'a> {
    pub tx: &'a mut Write,
    pub import_id: Uuid,
    pub owner: Uuid,
    pub now: Timestamp,
}

struct Change<'a> {
    holder: &'a Holder,
    added: Vec<TagName>,
}

impl Merging<'_> {
    /// Gives the entries that hold these addresses the tags that they do not have yet.
    pub async fn merge(
        &mut self,
        batch: &[&Ready],
        holding: Holding<'_>,
        new_id: impl FnMut() -> Uuid,
    ) -> Result<Known> {
        let holders = store::holders(self.tx, self.owner, holding).await?;
        let by_id: HashMap<Uuid, &Holder> = holders.iter().map(|holder| (holder.id, holder)).collect();
        let by_key: HashMap<&[u8], &Holder> =
            holders.iter().filter_map(|holder| Some((holder.url_key.as_deref()?, holder))).collect();
        let mut known = Known::default();
        let mut changes = Vec::new();
        for (place, ready) in batch.iter().enumerate() {
            let holder = match (&ready.checked.url, holding) {
                (Some(url), _) => by_key.get(url_key(url).as_slice()),
                (None, Holding::Notes(ids)) => ids.get(place).and_then(|id| by_id.get(id)),
                (None, Holding::Addresses(_)) => None,
            };
            let change = holder.map(|holder| new_tags(holder, ready, &mut known.shortenings));
            known.duplicates.push(Duplicate {
                line: ready.line,
                title: ready.checked.title.clone(),
                existing: holder.map(|holder| holder.id),
                added: change.iter().flat_map(|change| &change.added).map(|tag| tag.name.clone()).collect(),
            });
            changes.extend(change.filter(|change| !change.added.is_empty()));
        }
        self.write(&changes, new_id).await?;
        known.changed = changes.iter().map(|change| change.holder.id).collect();
        Ok(known)
    }

    async fn write(&mut self, changes: &[Change<'_>], new_id: impl FnMut() -> Uuid) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let taggings: Vec<Tagging<'_>> = changes
            .iter()
            .map(|change| Tagging { resource: change.holder.id, tags: &change.added })
            .collect();
        store::tag(self.tx, self.owner, &taggings, new_id).await?;
        let retagged: Vec<Retagged> = changes.iter().map(Change::retagged).collect();
        store::retag(self.tx, &retagged, self.now).await?;
        let ids: Vec<Uuid> = retagged.iter().map(|retagged| retagged.id).collect();
        let merged = changes.iter().map(|change| change.holder);
        store::note_merged(self.tx, self.import_id, &merged.collect::<Vec<_>>()).await?;
        Ok(store::add_revisions_of(self.tx, &ids, self.owner, self.now).await?)
    }
}

fn new_tags<'a>(holder: &'a Holder, ready: &Ready, shortenings: &mut Vec<Shortening>) -> Change<'a> {
    let known: Vec<String> = holder.tags.0.iter().map(|name| tag::fold(name)).collect();
    let mut added: Vec<TagName> =
        ready.checked.tags.iter().filter(|tag| !known.contains(&tag.folded)).cloned().collect();
    let left_out = added.split_off(tag::MAX_TAGS.saturating_sub(known.len()).min(added.len()));
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.into_iter().map(|tag| tag.name).collect();
        shortenings.push(Shortening {
            line: ready.line,
            title: ready.checked.title.clone(),
            what: tag_count(&names),
        });
    }
    Change { holder, added }
}

impl Change<'_> {
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
