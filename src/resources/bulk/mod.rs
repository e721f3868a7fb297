//! One change for many entries. Each gets what a single change gives it: a revision, index terms, and its scopes in the
//! cache. It runs in short transactions, so that other writers need not wait, and it is undone as a whole.

mod apply;
mod steps;
pub mod store;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::apply::Before;
use self::store::entries;
use super::{Resource, Resources, Visibility, cached, tag};
use crate::cache::Scope;
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::resources::jobs::ABANDONED;

/// Entries that one change may have.
pub const MOST: usize = 20_000;

/// What is done to every chosen entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BulkChange {
    AddTags(Vec<String>),
    RemoveTags(Vec<String>),
    Retag(Vec<Retag>),
    /// Changes the tags themselves, not their entries.
    Respell(Vec<Respelling>),
    Visibility(Visibility),
    Pin(bool),
    /// Marks them to be read later, or as read.
    Unread(bool),
    Trash,
    Restore,
}

/// A tag by its folded name, and what takes its place; `None` for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retag {
    pub from: String,
    pub to: Option<String>,
}

/// A tag's name and another spelling of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Respelling {
    pub from: String,
    pub to: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Preparing,
    Running,
    Done,
    Undoing,
    Undone,
}

impl State {
    const ALL: [Self; 5] = [Self::Preparing, Self::Running, Self::Done, Self::Undoing, Self::Undone];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Running => "running",
            Self::Done => "done",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Preparing | Self::Running | Self::Undoing)
    }

    #[must_use]
    pub const fn can_be_undone(self) -> bool {
        matches!(self, Self::Running | Self::Done)
    }

    #[must_use]
    pub const fn is_undone(self) -> bool {
        matches!(self, Self::Undone)
    }
}

impl TryFrom<String> for State {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(text)
    }
}

/// How far a change is.
#[derive(Clone, Debug)]
pub struct Progress {
    pub id: Uuid,
    pub state: State,
    pub change: BulkChange,
    pub total: i64,
    pub waiting: i64,
    pub changed: i64,
    /// Entries that could not take the change, or the undo.
    pub refused: i64,
}

impl Resources {
    /// Begins a change of the viewer's entries. Returns its id; [`Resources::run_bulk`] carries it out.
    ///
    /// # Errors
    /// [`Error::Invalid`] at `ids` when there are none, or more than [`MOST`].
    pub async fn begin_bulk(&self, viewer: &Viewer, change: &BulkChange, ids: &[Uuid]) -> Result<Uuid> {
        let owner = viewer.signed_in()?.id;
        if ids.is_empty() && !matches!(change, BulkChange::Respell(_)) {
            return Err(Error::field("ids", "Select at least one entry."));
        }
        if ids.len() > MOST {
            let message = format!("At most {MOST} entries can be changed at once. Narrow your search.");
            return Err(Error::field("ids", message));
        }
        let id = self.context.new_id();
        store::begin(&self.db, id, owner, change, self.context.now()).await?;
        for part in ids.chunks(store::INSERTED) {
            store::add_items(&self.db, id, owner, part).await?;
        }
        store::set_state(&self.db, id, State::Running, self.context.now()).await?;
        Ok(id)
    }

    /// # Errors
    /// [`Error::NotFound`] when it is not the viewer's.
    pub async fn bulk_progress(&self, viewer: &Viewer, id: Uuid) -> Result<Progress> {
        store::progress(&self.db, viewer.signed_in()?.id, id).await?.ok_or(Error::NotFound)
    }

    /// Begins to put back what the change has changed; entries that were changed again since are left alone.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not the viewer's.
    pub async fn begin_undo(&self, viewer: &Viewer, id: Uuid) -> Result<()> {
        let progress = self.bulk_progress(viewer, id).await?;
        if progress.state.can_be_undone() {
            store::set_state(&self.db, id, State::Undoing, self.context.now()).await?;
        }
        Ok(())
    }

    /// Goes on with what a stopped node left unfinished.
    pub async fn resume_bulk(&self) -> Result<()> {
        for id in store::abandoned(&self.db, self.context.now().minus(ABANDONED)).await? {
            self.run_bulk(id).await?;
        }
        Ok(())
    }

    /// Forgets changes that are too old to be undone.
    pub async fn forget_old_bulk(&self) -> Result<()> {
        Ok(store::forget(&self.db, self.context.now().minus(super::TRASH_LIFE)).await?)
    }

    pub async fn ids_in_trash(&self, viewer: &Viewer) -> Result<Vec<Uuid>> {
        Ok(entries::ids_in_trash(&self.db, viewer.signed_in()?.id).await?)
    }

    /// Deletes for ever what is in the viewer's trash, a few entries at a time. Returns how many.
    pub async fn empty_trash(&self, viewer: &Viewer) -> Result<u64> {
        let owner = viewer.signed_in()?.id;
        let mut count = 0;
        loop {
            let ids = entries::ids_in_trash(&self.db, owner).await?;
            let deleted = self.delete_from_trash(owner, &ids).await?;
            count += deleted;
            if deleted == 0 {
                return Ok(count);
            }
        }
    }

    async fn delete_from_trash(&self, owner: Uuid, ids: &[Uuid]) -> Result<u64> {
        let mut count = 0;
        for part in ids.chunks(steps::STEP) {
            let mut tx = self.cache.begin().await?;
            let still = entries::still_in_trash(&mut tx, owner, part).await?;
            let tags = entries::clear_tags(&mut tx, &still).await?;
            let gone = entries::delete_from_trash(&mut tx, owner, part).await?;
            entries::sweep_tags(&mut tx, &tags).await?;
            count += gone.len() as u64;
            let touched = gone.into_iter().flat_map(|id| cached::touched(id, owner, &[]));
            tx.commit(touched.chain([Scope::User(owner)])).await?;
        }
        Ok(count)
    }

    /// The viewer's own entries with one of these tags, by their folded names.
    pub async fn ids_with_tags(&self, viewer: &Viewer, folded: &[String]) -> Result<Vec<Uuid>> {
        Ok(entries::ids_with_tags(&self.db, viewer.signed_in()?.id, folded).await?)
    }
}

impl BulkChange {
    /// The tags of an entry after the change.
    fn tags(&self, resource: &Resource) -> Option<Vec<String>> {
        let tags = resource.tags.0.iter();
        match self {
            Self::AddTags(added) => Some(tags.chain(added).cloned().collect()),
            Self::RemoveTags(removed) => {
                let removed: Vec<String> = removed.iter().map(|name| tag::fold(name)).collect();
                Some(tags.filter(|name| !removed.contains(&tag::fold(name))).cloned().collect())
            }
            Self::Retag(retags) => Some(
                tags.filter_map(|name| {
                    let folded = tag::fold(name);
                    let retag = retags.iter().find(|retag| retag.from == folded);
                    retag.map_or_else(|| Some(name.clone()), |retag| retag.to.clone())
                })
                .collect(),
            ),
            Self::Respell(_)
            | Self::Visibility(_)
            | Self::Pin(_)
            | Self::Unread(_)
            | Self::Trash
            | Self::Restore => None,
        }
    }
}
