//! Reading the trail: admins see all of it, everybody what concerns their own account.

mod asked;

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::FromRef;
use data_encoding::HEXLOWER;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::asked::{Asked, Filter};
use self::asked::{MOST, PAGE};
use super::verify::Verified;
use super::{Action, Audit, Outcome, store};
use crate::accounts;
use crate::context::Context;
use crate::db::{Db, Timestamp};
use crate::error::{FieldErrors, Result};
use crate::web::cursor::CursorKey;
use crate::web::deps::WebDeps;
use crate::web::viewer::Viewer;

/// So short a trail is verified whenever it is looked at; it takes milliseconds.
const SHORT: i64 = 2_000;

#[derive(Clone)]
pub struct Trail {
    db: Db,
    context: Context,
    audit: Audit,
    cursors: CursorKey,
    /// What this process found last.
    checked: Arc<Mutex<Option<Checked>>>,
}

/// An event with the names of those in it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub seq: i64,
    pub at: Timestamp,
    pub actor: Option<Who>,
    /// As it is stored; a user's, session's or token's id, or empty.
    pub target: String,
    /// The username, when the target is somebody who has an account.
    pub target_name: Option<String>,
    pub action: String,
    pub outcome: String,
    pub network: Option<Vec<u8>>,
    pub request_id: String,
}

#[derive(Clone, Debug)]
pub struct Who {
    pub id: Uuid,
    /// `None` once the account is deleted.
    pub username: Option<String>,
}

pub struct Page {
    pub entries: Vec<Entry>,
    pub next: Option<String>,
}

/// What was found, and when.
#[derive(Clone)]
pub struct Checked {
    pub at: Timestamp,
    pub verified: Verified,
}

#[derive(Serialize, Deserialize)]
enum Position {
    Event(i64),
}

/// What the routes of the audit log need.
#[derive(Clone, FromRef)]
pub struct AuditState {
    pub trail: Arc<Trail>,
    pub deps: Arc<WebDeps>,
}

impl Trail {
    #[must_use]
    pub fn new(db: Db, context: Context, audit: Audit, cursors: CursorKey) -> Self {
        Self { db, context, audit, cursors, checked: Arc::default() }
    }

    /// One page of everybody's events, for admins, the newest first.
    ///
    /// # Errors
    /// [`crate::error::Error::Invalid`] at the filter that makes no sense.
    pub async fn page(&self, viewer: &Viewer, asked: &Asked) -> Result<Page> {
        let filter = self.filter(viewer, asked).await?;
        self.read(filter).await
    }

    /// One page of what the viewer did and what was done or tried with their account.
    pub async fn own(&self, viewer: &Viewer, cursor: &str) -> Result<Page> {
        let person = Some(viewer.signed_in()?.id);
        self.read(Filter { person, before: self.position(cursor)?, ..Filter::all(PAGE) }).await
    }

    /// All of that, to take along.
    pub async fn all_own(&self, viewer: &Viewer) -> Result<Vec<Entry>> {
        let person = Some(viewer.signed_in()?.id);
        let mut filter = Filter { person, ..Filter::all(MOST) };
        let mut all = Vec::new();
        loop {
            let chunk = self.chunk(&mut filter).await?;
            if chunk.is_empty() {
                return Ok(all);
            }
            all.extend(chunk);
        }
    }

    /// The filter that an admin asks for.
    pub async fn filter(&self, viewer: &Viewer, asked: &Asked) -> Result<Filter> {
        accounts::require_admin(viewer)?;
        let mut errors = FieldErrors::default();
        let filter = asked.read(&mut errors);
        let person = self.person(asked.person.trim(), &mut errors).await?;
        let before = self.position(&asked.cursor)?;
        errors.or(Filter { person, before, ..filter })
    }

    /// The next entries, as many as the filter's limit; it goes on behind the last.
    pub async fn chunk(&self, filter: &mut Filter) -> Result<Vec<Entry>> {
        let rows = store::events(&self.db, filter).await?;
        filter.before = rows.last().map(|row| row.seq).or(filter.before);
        self.named(rows).await
    }

    /// Walks the chain when an admin asks for it, or when it is short.
    pub async fn check(&self, viewer: &Viewer, wanted: bool) -> Result<Option<Checked>> {
        accounts::require_admin(viewer)?;
        if !wanted && store::head(&self.db).await?.0 > SHORT {
            return Ok(None);
        }
        let verified = self.verify().await?;
        Ok(Some(Checked { at: self.context.now(), verified }))
    }

    /// The latest that this process has made, now when the trail is short; for admins.
    pub async fn latest_check(&self, viewer: &Viewer) -> Result<Option<Checked>> {
        let checked = self.check(viewer, false).await?;
        Ok(checked.or_else(|| self.checked.lock().clone()))
    }

    /// For the command line.
    pub async fn verify(&self) -> Result<Verified> {
        let verified = self.audit.verify(&self.db).await?;
        *self.checked.lock() = Some(Checked { at: self.context.now(), verified: verified.clone() });
        Ok(verified)
    }

    /// Since when the key is in force: since it was changed, or else since the first event.
    pub async fn key_since(&self) -> Result<Option<Timestamp>> {
        Ok(store::key_since(&self.db).await?)
    }

    /// All of it with its seals, for the command line.
    pub async fn export(&self, out: &mut (dyn std::io::Write + Send)) -> Result<i64> {
        self.audit.export(&self.db, out).await
    }

    async fn read(&self, filter: Filter) -> Result<Page> {
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let mut one_more = Filter { limit: filter.limit + 1, ..filter };
        let mut entries = self.chunk(&mut one_more).await?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last().filter(|_| more);
        Ok(Page { next: last.map(|last| self.cursors.seal(&Position::Event(last.seq))), entries })
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
            Err(_) => accounts::people::store::id_of(&self.db, &accounts::key(text)).await?,
        };
        if found.is_none() {
            errors.add("person", "Nobody has this username or address. For a deleted account, give its id.");
        }
        Ok(found)
    }

    async fn named(&self, rows: Vec<store::Row>) -> Result<Vec<Entry>> {
        let targets = rows.iter().filter_map(|row| row.target.parse().ok());
        let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.actor_id).chain(targets).collect();
        let names: HashMap<Uuid, String> = accounts::people::store::usernames(&self.db, ids).await?;
        let entries = rows.into_iter().map(|row| Entry {
            seq: row.seq,
            at: row.at,
            actor: row.actor_id.map(|id| Who { id, username: names.get(&id).cloned() }),
            target_name: row.target.parse().ok().and_then(|id: Uuid| names.get(&id).cloned()),
            target: row.target,
            action: row.action,
            outcome: row.outcome,
            network: row.network,
            request_id: row.request_id,
        });
        Ok(entries.collect())
    }
}

impl Entry {
    #[must_use]
    pub fn words(&self) -> &str {
        let known = Action::parse(&self.action).zip(Outcome::parse(&self.outcome));
        known.map_or(self.action.as_str(), |(action, outcome)| action.words(outcome))
    }

    /// The beginning of the network's hash, enough to tell networks apart.
    #[must_use]
    pub fn network_hex(&self) -> String {
        let hash = self.network.as_deref().unwrap_or_default();
        HEXLOWER.encode(&hash[..hash.len().min(6)])
    }
}
