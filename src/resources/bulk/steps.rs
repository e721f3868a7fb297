//! The steps of a change: a few entries in each transaction.

use uuid::Uuid;

use super::apply::{Act, Before, Skip, act, undo};
use super::store::{self, Item, ItemState, Open, entries};
use super::{BulkChange, Respelling, State};
use crate::cache::{Scope, Write};
use crate::error::Result;
use crate::resources::changes::store as changes;
use crate::resources::draft::Checked;
use crate::resources::import::store::{Tagging, tag as tie};
use crate::resources::tag::TagName;
use crate::resources::{Resource, Resources, Via, cached, tag};

/// Entries of one transaction. Their scopes still fit into one message of the cache.
pub const STEP: usize = 40;

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
            trashed: Vec::new(),
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
        let changed: Vec<Uuid> =
            outcomes.iter().filter(|outcome| outcome.version.is_some()).map(|outcome| outcome.id).collect();
        step.write().await?;
        let Step { mut tx, touched, .. } = step;
        store::stepped(&mut tx, open.id, self.context.now()).await?;
        changes::note(&mut tx, open.owner_id, &changed).await?;
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

/// One transaction. Its entries are locked, and written together at the end.
struct Step<'a> {
    resources: &'a Resources,
    tx: Write,
    open: &'a Open,
    touched: Vec<Scope>,
    replaced: Vec<Replaced>,
    trashed: Vec<Uuid>,
    restored: Vec<Uuid>,
}

/// An entry that changes.
pub struct Replaced {
    pub id: Uuid,
    pub checked: Box<Checked>,
    added: Vec<TagName>,
    /// The folded names of tags that it loses.
    pub dropped: Vec<String>,
}

impl Replaced {
    fn new(resource: &Resource, checked: Box<Checked>) -> Self {
        let had: Vec<String> = resource.tags.0.iter().map(|name| tag::fold(name)).collect();
        let added = checked.tags.iter().filter(|tag| !had.contains(&tag.folded)).cloned().collect();
        let has = |folded: &String| checked.tags.iter().any(|tag| tag.folded == *folded);
        let dropped = had.into_iter().filter(|folded| !has(folded)).collect();
        Self { id: resource.id, added, dropped, checked }
    }
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

    /// Whether it can be done. Another entry may have the address of one in the trash.
    async fn carry_out(&mut self, resource: &Resource, act: Act) -> Result<bool> {
        let mut seen = vec![resource.visibility];
        match act {
            Act::Trash => self.trashed.push(resource.id),
            Act::Restore => {
                if !entries::restore(&mut self.tx, resource.id).await? {
                    return Ok(false);
                }
                self.restored.push(resource.id);
            }
            Act::Replace(checked) => {
                seen.push(checked.visibility);
                self.replaced.push(Replaced::new(resource, checked));
            }
        }
        self.touched.extend(cached::touched(resource.id, resource.owner_id, &seen));
        Ok(true)
    }

    async fn write(&mut self) -> Result<()> {
        let Self { resources: Resources { context, .. }, tx, open, replaced, trashed, restored, .. } = self;
        let (owner, now) = (open.owner_id, context.now());
        entries::trash(tx, trashed, now).await?;
        entries::add_revisions(tx, restored, owner, Via::Restore, now).await?;
        entries::replace(tx, owner, replaced, now).await?;
        let dropped = entries::untie(tx, owner, replaced).await?;
        let added: Vec<Tagging<'_>> =
            replaced.iter().map(|one| Tagging { resource: one.id, tags: &one.added }).collect();
        tie(tx, owner, &added, || context.new_id()).await?;
        entries::sweep_tags(tx, &dropped).await?;
        let ids: Vec<Uuid> = replaced.iter().map(|replaced| replaced.id).collect();
        Ok(entries::add_revisions(tx, &ids, owner, Via::Web, now).await?)
    }
}
