//! The reader of the audit log: admins see all of it, users what concerns their own account.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::FromRef;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use super::named_event::{EventActor, NamedEvent};
pub use super::query::{ACTION_SCHEMA, AuditQuery, Filter};
use super::query::{MAX_PAGE, PAGE};
use super::verify::Verified;
use super::{Action, AuditLog, Outcome, store};
use crate::db::Db;
use crate::error::{FieldErrors, Result};
use crate::identity::Viewer;
use crate::names::key;
use crate::system::System;
use crate::timestamp::Timestamp;
use crate::web::cursor::CursorKey;
use crate::web::deps::WebDeps;

/// A log of up to this many events is verified each time a page shows it, which takes milliseconds.
const SHORT: i64 = 2_000;

#[derive(Clone)]
pub struct AuditReader {
    db: Db,
    context: System,
    log: AuditLog,
    cursors: CursorKey,
    /// The latest, of this process.
    checked: Arc<Mutex<Option<Verification>>>,
}

pub struct EventPage {
    pub entries: Vec<NamedEvent>,
    pub next: Option<String>,
}

#[derive(Clone)]
pub struct Verification {
    pub at: Timestamp,
    pub verified: Verified,
}

#[derive(Serialize, Deserialize)]
enum Position {
    Event(i64),
}

#[derive(Clone, FromRef)]
pub struct AuditState {
    pub audit_reader: Arc<AuditReader>,
    pub deps: Arc<WebDeps>,
}

impl AuditReader {
    pub fn new(db: Db, context: System, log: AuditLog, cursors: CursorKey) -> Self {
        Self { db, context, log, cursors, checked: Arc::default() }
    }

    pub async fn page(&self, viewer: &Viewer, query: &AuditQuery) -> Result<EventPage> {
        let filter = self.filter(viewer, query).await?;
        self.page_of(filter).await
    }

    /// One page of events with the viewer as actor or target.
    pub async fn own(&self, viewer: &Viewer, cursor: &str) -> Result<EventPage> {
        let person = Some(viewer.signed_in()?.id);
        self.page_of(Filter { person, before: self.position(cursor)?, ..Filter::all(PAGE) }).await
    }

    pub async fn all_own(&self, viewer: &Viewer) -> Result<Vec<NamedEvent>> {
        let person = Some(viewer.signed_in()?.id);
        let mut filter = Filter { person, ..Filter::all(MAX_PAGE) };
        let mut all = Vec::new();
        loop {
            let chunk = self.chunk(&mut filter).await?;
            if chunk.is_empty() {
                return Ok(all);
            }
            all.extend(chunk);
        }
    }

    pub async fn filter(&self, viewer: &Viewer, query: &AuditQuery) -> Result<Filter> {
        viewer.require_admin()?;
        let mut errors = FieldErrors::default();
        let filter = query.parse(&self.log, &mut errors);
        let person = self.person(query.person.trim(), &mut errors).await?;
        let before = self.position(&query.cursor)?;
        errors.or(Filter { person, before, ..filter })
    }

    /// Reads up to the filter's limit, and moves the filter behind the last event.
    pub async fn chunk(&self, filter: &mut Filter) -> Result<Vec<NamedEvent>> {
        let rows = store::events(&self.db, filter).await?;
        filter.before = rows.last().map(|row| row.seq).or(filter.before);
        self.named(rows).await
    }

    pub async fn check(&self, viewer: &Viewer, wanted: bool) -> Result<Option<Verification>> {
        viewer.require_admin()?;
        if !wanted && store::head(&self.db).await?.seq > SHORT {
            return Ok(None);
        }
        let verified = self.verify().await?;
        Ok(Some(Verification { at: self.context.now(), verified }))
    }

    /// This process' latest verification, or a new one if the log is short; for admins.
    pub async fn latest_check(&self, viewer: &Viewer) -> Result<Option<Verification>> {
        let checked = self.check(viewer, false).await?;
        Ok(checked.or_else(|| self.checked.lock().clone()))
    }

    pub async fn verify(&self) -> Result<Verified> {
        let verified = self.log.verify(&self.db).await?;
        *self.checked.lock() = Some(Verification { at: self.context.now(), verified: verified.clone() });
        Ok(verified)
    }

    /// When the key was changed last, or else when the log begins.
    pub async fn key_since(&self) -> Result<Option<Timestamp>> {
        Ok(store::key_since(&self.db).await?)
    }

    /// The whole log with its hashes, for the command line.
    pub async fn export(&self, out: &mut (dyn std::io::Write + Send)) -> Result<i64> {
        self.log.export(&self.db, out).await
    }

    async fn page_of(&self, filter: Filter) -> Result<EventPage> {
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let mut one_more = Filter { limit: filter.limit + 1, ..filter };
        let mut entries = self.chunk(&mut one_more).await?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last().filter(|_| more);
        Ok(EventPage { next: last.map(|last| self.cursors.seal(&Position::Event(last.seq))), entries })
    }

    fn position(&self, cursor: &str) -> Result<Option<i64>> {
        if cursor.is_empty() {
            return Ok(None);
        }
        let Position::Event(seq) = self.cursors.open(cursor)?;
        Ok(Some(seq))
    }

    async fn person(&self, text: &str, errors: &mut FieldErrors) -> Result<Option<Uuid>> {
        if text.is_empty() {
            return Ok(None);
        }
        let found = match text.parse() {
            Ok(id) => Some(id),
            Err(_) => store::person(&self.db, &key(text)).await?,
        };
        if found.is_none() {
            errors
                .add("person", "No account has this username or email. For a deleted account, enter its id.");
        }
        Ok(found)
    }

    async fn named(&self, rows: Vec<store::Row>) -> Result<Vec<NamedEvent>> {
        let targets = rows.iter().filter_map(|row| row.target.parse().ok());
        let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.actor_id).chain(targets).collect();
        let names: HashMap<Uuid, String> = store::usernames(&self.db, ids).await?;
        let entries = rows.into_iter().map(|row| NamedEvent {
            seq: row.seq,
            at: row.at,
            actor: row.actor_id.map(|id| EventActor { id, username: names.get(&id).cloned() }),
            target_name: row.target.parse().ok().and_then(|id: Uuid| names.get(&id).cloned()),
            target: row.target,
            target_noun: self.log.action(&row.action).map_or("", Action::target),
            description: self.description(&row.action, &row.outcome),
            action: row.action,
            outcome: row.outcome,
            network: row.network,
            request_id: row.request_id,
        });
        Ok(entries.collect())
    }

    fn description(&self, action: &str, outcome: &str) -> String {
        let known = self.log.action(action).zip(Outcome::parse(outcome));
        known.map_or(action, |(action, outcome)| action.description(outcome)).to_owned()
    }

    pub fn actions(&self) -> &[Action] {
        self.log.actions()
    }
}
