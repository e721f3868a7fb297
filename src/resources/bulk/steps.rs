//! The steps of a change: a few entries in each transaction.

use std::time::Duration;

use uuid::Uuid;

use super::apply::{Act, Before, Skip, act, undo};
use super::entries;
use super::store::{self, Item, ItemState, Open};
use super::{BulkChange, Respelling, State};
use crate::cache::{Scope, Write};
use crate::error::Result;
use crate::resources::draft::Checked;
use crate::resources::import::store::{Tagging, tag as tie};
use crate::resources::store::write;
use crate::resources::{Resource, Resources, Via, cached, tag};

/// Entries of one transaction. Their scopes still fit into one message of the cache.
pub const STEP: usize = 40;
/// A change that has made no step for so long has lost its node.
pub const ABANDONED: Duration = Duration::from_mins(2);

impl Resources {
    /// Carries out what is left of a change, or of its undo.
    pub async fn run_bulk(&self, id: Uuid) -> Result<()> {
        while let Some(open) = store::find_open(&self.db, id).await? {
            if !self.step(&open).await? {
                let state = if open.state == State::Undoing { State::Undone } else { State::Done };
                store::finish(&self.db, id, open.state, state, self.context.now()).await?;
            }
        }
        Ok(())
    }

    /// Whether there was something to do.
    async fn step(&self, open: &Open) -> Result<bool> {
        let mut tx = self.cache.begin().await?;
        if let BulkChange::Respell(names) = &open.change {
            for Respelling { from, to } in names {
                let name = if open.state == State::Undoing { from } else { to };
                entries::respell(&mut tx, open.owner_id, &tag::fold(name), name).await?;
            }
            tx.commit([Scope::All]).await?;
            return Ok(false);
        }
        let items = store::next_items(&mut tx, open, STEP).await?;
        if items.is_empty() {
            return Ok(false);
        }
        let ids: Vec<Uuid> = items.iter().map(|item| item.resource_id).collect();
        let resources = entries::lock(&mut tx, open.owner_id, &ids).await?;
        let mut step = Step {
            resources: self,
            tx,
            open,
            touched: Vec::new(),
            replaced: Vec::new(),
            restored: Vec::new(),
        };
        let mut outcomes = Vec::new();
        for item in items {
            let resource = resources.iter().find(|resource| resource.id == item.resource_id);
            outcomes.push(match resource {
                Some(resource) => step.change(resource, item).await?,
                None => Outcome::skipped(item.resource_id, Skip::Refused, open.state),
            });
        }
        store::set_items(&mut step.tx, open.id, &outcomes).await?;
        step.write_tags().await?;
        let Step { mut tx, touched, .. } = step;
        store::stepped(&mut tx, open.id, self.context.now()).await?;
        tx.commit(touched.into_iter().chain([Scope::User(open.owner_id)])).await?;
        Ok(true)
    }
}

/// What became of an entry.
pub struct Outcome {
    pub id: Uuid,
    pub state: ItemState,
    pub version: Option<i64>,
    pub before: Option<Before>,
}

impl Outcome {
    fn skipped(id: Uuid, skip: Skip, state: State) -> Self {
        let state = match (skip, state) {
            (_, State::Undoing) => ItemState::Kept,
            (Skip::Same, _) => ItemState::Same,
            (Skip::Refused, _) => ItemState::Refused,
        };
        Self { id, state, version: None, before: None }
    }
}

/// One transaction.
struct Step<'a> {
    resources: &'a Resources,
    tx: Write,
    open: &'a Open,
    touched: Vec<Scope>,
    /// Entries whose tags and revisions are written together at the end.
    replaced: Vec<Replaced>,
    restored: Vec<Uuid>,
}

struct Replaced {
    id: Uuid,
    checked: Box<Checked>,
}

impl Step<'_> {
    async fn change(&mut self, resource: &Resource, item: Item) -> Result<Outcome> {
        let Open { change, state, .. } = self.open;
        let before = Before::from(resource);
        let act = match (state, item.version, item.before) {
            (State::Undoing, Some(version), Some(old)) => undo(change, resource, version, old),
            _ => act(change, resource),
        };
        let act = match act {
            Ok(act) => act,
            Err(skip) => return Ok(Outcome::skipped(resource.id, skip, *state)),
        };
        if !self.carry_out(resource, act).await? {
            return Ok(Outcome::skipped(resource.id, Skip::Refused, *state));
        }
        let state = if *state == State::Undoing { ItemState::Undone } else { ItemState::Changed };
        Ok(Outcome { id: resource.id, state, version: Some(resource.version + 1), before: Some(before) })
    }

    /// Whether it could be done.
    async fn carry_out(&mut self, resource: &Resource, act: Act) -> Result<bool> {
        let now = self.resources.context.now();
        let mut seen = vec![resource.visibility];
        let done = match act {
            Act::Trash => entries::trash(&mut self.tx, resource.id, now).await?,
            Act::Restore => {
                let done = entries::restore(&mut self.tx, resource.id).await?;
                self.restored.extend(done.then_some(resource.id));
                done
            }
            Act::Replace(checked) => {
                seen.push(checked.visibility);
                let done = write::update(&mut self.tx, resource, &checked, now).await?;
                self.replaced.push(Replaced { id: resource.id, checked });
                done
            }
        };
        self.touched.extend(cached::touched(resource.id, resource.owner_id, &seen));
        Ok(done)
    }

    /// Tags and revisions of all replaced entries, in a few statements.
    async fn write_tags(&mut self) -> Result<()> {
        let (owner, now) = (self.open.owner_id, self.resources.context.now());
        if !self.restored.is_empty() {
            entries::add_revisions(&mut self.tx, &self.restored, owner, Via::Restore, now).await?;
        }
        if self.replaced.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = self.replaced.iter().map(|replaced| replaced.id).collect();
        if self.open.change.is_about_tags() {
            let dropped = entries::clear_tags(&mut self.tx, &ids).await?;
            let taggings: Vec<Tagging<'_>> = self
                .replaced
                .iter()
                .map(|replaced| Tagging { resource: replaced.id, tags: &replaced.checked.tags })
                .collect();
            tie(&mut self.tx, owner, &taggings, || self.resources.context.new_id()).await?;
            entries::sweep_tags(&mut self.tx, &dropped).await?;
        }
        Ok(entries::add_revisions(&mut self.tx, &ids, owner, Via::Web, now).await?)
    }
}

impl BulkChange {
    fn is_about_tags(&self) -> bool {
        matches!(self, Self::AddTags(_) | Self::RemoveTags(_) | Self::Retag(_))
    }
}
