//! What becomes of the entries of a slice, as the library stands now: they are new, known, or in the trash.

use std::collections::HashMap;

use uuid::Uuid;

use super::Ready;
use super::store::{self, Earlier, Holder, Holding};
use crate::cache::Write;
use crate::resources::draft::{Checked, url_key};
use crate::resources::tag::{self, TagName};

#[derive(Default)]
pub(super) struct Plan<'a> {
    pub new: Vec<&'a Ready>,
    pub known: Vec<Addition<'a>>,
    /// What was thrown away is not brought back.
    pub thrown_away: Vec<ThrownAway<'a>>,
}

/// What an entry that is there already gets from the file; nothing else of it changes.
pub(super) struct Addition<'a> {
    pub ready: &'a Ready,
    pub holder: Holder,
    pub added: Vec<TagName>,
    /// Tags for which there is no room.
    pub left_out: Vec<String>,
    /// What else the file has and the entry does not, as a sentence names it.
    pub ignored: Vec<&'static str>,
}

pub(super) struct ThrownAway<'a> {
    pub ready: &'a Ready,
    pub id: Uuid,
}

impl<'a> Plan<'a> {
    pub async fn new(tx: &mut Write, earlier: Earlier, entries: Vec<&'a Ready>) -> sqlx::Result<Self> {
        let (links, notes) = entries.into_iter().partition(|ready| ready.checked.url.is_some());
        let mut plan = Self::default();
        plan.take_links(tx, earlier, links).await?;
        plan.take_notes(tx, earlier, notes).await?;
        Ok(plan)
    }

    /// The tags that entries would get.
    pub fn tags(&self) -> impl Iterator<Item = &TagName> {
        let new = self.new.iter().flat_map(|ready| &ready.checked.tags);
        new.chain(self.known.iter().flat_map(|addition| &addition.added))
    }

    async fn take_links(
        &mut self,
        tx: &mut Write,
        earlier: Earlier,
        links: Vec<&'a Ready>,
    ) -> sqlx::Result<()> {
        let keys: Vec<Vec<u8>> =
            links.iter().filter_map(|ready| ready.checked.url.as_ref()).map(url_key).collect();
        let mut holders: HashMap<Vec<u8>, Holder> =
            store::holders(tx, earlier.owner, Holding::Addresses(&keys))
                .await?
                .into_iter()
                .filter_map(|holder| Some((holder.url_key.clone()?, holder)))
                .collect();
        let missing: Vec<&[u8]> = links
            .iter()
            .zip(&keys)
            .filter(|(ready, key)| ready.is_trashed || !holders.contains_key(*key))
            .map(|(_, key)| key.as_slice())
            .collect();
        let trashed: HashMap<Vec<u8>, Uuid> = store::addresses_in_trash(tx, earlier, &missing)
            .await?
            .into_iter()
            .map(|trashed| (trashed.url_key, trashed.id))
            .collect();
        for (ready, key) in links.into_iter().zip(&keys) {
            let holder = if ready.is_trashed { None } else { holders.remove(key) };
            self.sort(ready, holder, trashed.get(key).copied());
        }
        Ok(())
    }

    async fn take_notes(
        &mut self,
        tx: &mut Write,
        earlier: Earlier,
        notes: Vec<&'a Ready>,
    ) -> sqlx::Result<()> {
        let mut same = HashMap::new();
        for ready in notes.iter().filter(|ready| !ready.is_trashed) {
            let found = store::same_note(tx, earlier, ready).await?;
            same.extend(found.map(|id| (ready.id, id)));
        }
        let ids: Vec<Uuid> = same.values().copied().collect();
        let holders = store::holders(tx, earlier.owner, Holding::Notes(&ids)).await?;
        let has_trash = !notes.is_empty() && store::has_notes_in_trash(tx, earlier.owner).await?;
        let mut holders: HashMap<Uuid, Holder> =
            holders.into_iter().map(|holder| (holder.id, holder)).collect();
        for ready in notes {
            let holder = same.get(&ready.id).and_then(|id| holders.remove(id));
            let trashed = if holder.is_none() && has_trash {
                store::same_note_in_trash(tx, earlier, &ready.checked).await?
            } else {
                None
            };
            self.sort(ready, holder, trashed);
        }
        Ok(())
    }

    fn sort(&mut self, ready: &'a Ready, holder: Option<Holder>, trashed: Option<Uuid>) {
        match (holder, trashed) {
            (Some(holder), _) => self.known.push(Addition::new(ready, holder)),
            (None, Some(id)) => self.thrown_away.push(ThrownAway { ready, id }),
            (None, None) => self.new.push(ready),
        }
    }
}

impl<'a> Addition<'a> {
    fn new(ready: &'a Ready, holder: Holder) -> Self {
        let known: Vec<String> = holder.tags.0.iter().map(|name| tag::fold(name)).collect();
        let mut added: Vec<TagName> =
            ready.checked.tags.iter().filter(|tag| !known.contains(&tag.folded)).cloned().collect();
        let left_out = added.split_off(tag::MAX_TAGS.saturating_sub(known.len()).min(added.len()));
        let left_out = left_out.into_iter().map(|tag| tag.name).collect();
        let ignored = ignored(ready, &holder);
        Self { ready, holder, added, left_out, ignored }
    }

    /// A sentence on what the entry does not get.
    pub fn loss(&self) -> Option<String> {
        let verb = if let ["pin" | "unread mark"] = self.ignored[..] { "was" } else { "were" };
        let what = if self.ready.checked.url.is_some() { "link" } else { "note" };
        (!self.ignored.is_empty()).then(|| {
            let parts = self.ignored.join(" and ");
            format!("Its {parts} {verb} left out: you have this {what} already, and it stays as it is.")
        })
    }
}

fn ignored(ready: &Ready, holder: &Holder) -> Vec<&'static str> {
    let Checked { body, pinned, unread, .. } = &ready.checked;
    let parts = [
        ("notes", !holder.body.contains(body.as_str())),
        ("pin", *pinned && !holder.pinned),
        ("unread mark", *unread && !holder.unread),
    ];
    parts.into_iter().filter(|(_, is_ignored)| *is_ignored).map(|(part, _)| part).collect()
}
