//! What admins do with accounts: on `/admin/users`, over the API, on the command line. One enabled admin always stays.

pub mod api;
pub mod invites;
pub mod pages;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::Arc;

use axum::extract::FromRef;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use uuid::Uuid;

use super::change::SessionEffect;
use super::store::personal::{self, Personal};
use super::{Accounts, LINK_LIFE, Purpose, hash_of};
use crate::accounts::actions::{USER_DISABLE, USER_ENABLE, USER_RESET_LINK, USER_ROLE};
use crate::audit::{Action, Event, Outcome};
use crate::cache::Scope;
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::identity::{RequestMeta, Role, Viewer};
use crate::limiter::accounts::Account;
use crate::names::key;
use crate::sessions::actions::SESSIONS_END;
use crate::system::System;
use crate::timestamp::Timestamp;
use crate::web::cursor::CursorKey;
use crate::web::deps::WebDeps;

const PAGE: i64 = 50;
const MOST: i64 = 200;
/// In characters, as long as an email.
const LONGEST_SEARCH: usize = 320;

#[derive(Clone)]
pub struct UserAdmin {
    pub db: Db,
    pub context: System,
    pub accounts: Arc<Accounts>,
    pub cursors: CursorKey,
}

#[derive(Clone, FromRef)]
pub struct PeopleState {
    pub people: Arc<UserAdmin>,
    pub deps: Arc<WebDeps>,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Person {
    pub id: Uuid,
    pub email: String,
    pub username: String,
    pub username_key: String,
    pub display_name: String,
    #[sqlx(try_from = "String")]
    pub role: Role,
    pub created_at: Timestamp,
    pub verified_at: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
    pub second_factor: bool,
    /// The last visit in a session that has not ended.
    pub seen_at: Option<Timestamp>,
}

/// An admin, or the operator on the command line.
#[derive(Clone, Copy)]
pub enum By<'a> {
    Admin(&'a Viewer),
    Operator,
}

/// What changes; `None` stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change {
    pub role: Option<Role>,
    pub disabled: Option<bool>,
}

/// Part of the people, as the address bar or an API client asks for it.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Part of a username, email or display name.
    #[param(max_length = 320)]
    pub q: String,
    /// The cursor from the previous page.
    #[param(pattern = "^[A-Za-z0-9_-]*$")]
    pub cursor: String,
    /// 1 to 200; default 50.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200)]
    pub limit: String,
}

pub struct Page {
    pub people: Vec<Person>,
    pub next: Option<String>,
}

#[derive(Serialize, Deserialize)]
enum Position {
    Person(String),
}

impl By<'_> {
    /// The actor in the audit log.
    pub fn actor(self) -> Result<Option<Uuid>> {
        match self {
            Self::Admin(viewer) => viewer.require_admin().map(|()| viewer.id()),
            Self::Operator => Ok(None),
        }
    }
}

impl UserAdmin {
    pub async fn page(&self, viewer: &Viewer, query: &ListQuery) -> Result<Page> {
        viewer.require_admin()?;
        let limit = limit(&query.limit)?;
        if query.q.chars().count() > LONGEST_SEARCH {
            return Err(Error::field("q", "Use at most 320 characters."));
        }
        let after = match query.cursor.as_str() {
            "" => String::new(),
            cursor => self.cursors.open(cursor).map(|Position::Person(username)| username)?,
        };
        let mut people = store::page(&self.db, &key(&query.q), &after, limit + 1).await?;
        let held = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = people.len() > held;
        people.truncate(held);
        let last = people.last().filter(|_| more);
        let next = last.map(|last| self.cursors.seal(&Position::Person(last.username_key.clone())));
        Ok(Page { people, next })
    }

    pub async fn find(&self, viewer: &Viewer, id: Uuid) -> Result<Person> {
        viewer.require_admin()?;
        store::find(&self.db, id).await?.ok_or(Error::NotFound)
    }

    /// For the command line, whether disabled or not.
    pub async fn by_username(&self, username: &str) -> Result<Option<Person>> {
        let Some(id) = store::id_of(&self.db, &key(username)).await? else { return Ok(None) };
        Ok(store::find(&self.db, id).await?)
    }

    /// All accounts, for the command line.
    pub async fn all(&self) -> Result<Vec<Person>> {
        Ok(store::page(&self.db, "", "", i64::MAX).await?)
    }

    /// A disabled account's sessions end at once. [`Error::LastAdmin`] when no admin would be left.
    pub async fn change(&self, by: By<'_>, id: Uuid, change: Change, origin: &RequestMeta) -> Result<Person> {
        let actor = by.actor()?;
        let mut tx = self.accounts.begin_cached_change().await?;
        let before = store::find_in(&mut tx, id).await?.ok_or(Error::NotFound)?;
        let mut actions = Vec::new();
        if let Some(role) = change.role.filter(|role| *role != before.role) {
            store::set_role(&mut tx, id, role, self.context.now()).await?;
            actions.push(USER_ROLE);
        }
        if let Some(disabled) = change.disabled.filter(|disabled| *disabled != before.disabled_at.is_some()) {
            store::set_disabled(&mut tx, id, disabled, self.context.now()).await?;
            actions.push(if disabled { USER_DISABLE } else { USER_ENABLE });
        }
        let effect = if actions.contains(&USER_DISABLE) {
            SessionEffect::EndAll(id)
        } else {
            SessionEffect::Refresh(id)
        };
        let events: Vec<Event> = actions.iter().map(|action| event(*action, actor, id)).collect();
        let mut tx = tx.record(origin, &events, effect).await?;
        if before.role == Role::Admin && before.disabled_at.is_none() && !actions.is_empty() {
            leaves_office(&mut tx, id).await?;
        }
        // A disabled user shows nothing: their profile goes, and all that leads there.
        tx.commit([Scope::All]).await?;
        store::find(&self.db, id).await?.ok_or(Error::NotFound)
    }

    pub async fn end_sessions(&self, by: By<'_>, id: Uuid, origin: &RequestMeta) -> Result<()> {
        let actor = by.actor()?;
        let mut tx = self.accounts.begin_change().await?;
        store::find_in(&mut tx, id).await?.ok_or(Error::NotFound)?;
        store::bump_epoch(&mut tx, id, self.context.now()).await?;
        tx.commit(origin, event(SESSIONS_END, actor, id), SessionEffect::EndAll(id)).await
    }

    /// Returns the token of a link for a new password; earlier links stop working.
    pub async fn reset_link(&self, by: By<'_>, id: Uuid, origin: &RequestMeta) -> Result<String> {
        let actor = by.actor()?;
        let (token, now) = (BASE64URL_NOPAD.encode(&self.context.random::<32>()), self.context.now());
        let mut tx = self.accounts.begin_change().await?;
        let person = store::find_in(&mut tx, id).await?.ok_or(Error::NotFound)?;
        if person.disabled_at.is_some() {
            return Err(Error::Forbidden("This account is disabled. Enable it before you create a link."));
        }
        let stored = Personal {
            purpose: Purpose::Reset,
            hash: &hash_of(&token),
            user_id: Some(id),
            payload: None,
            expires_at: now.plus(LINK_LIFE),
        };
        personal::put(&mut tx, &stored, now).await?;
        tx.commit(origin, event(USER_RESET_LINK, actor, id), SessionEffect::Keep).await?;
        Ok(token)
    }
}

/// Voids the links of a former admin, and checks that an admin is left.
pub(super) async fn leaves_office(tx: &mut Tx, admin: Uuid) -> Result<()> {
    store::void_links(tx, admin).await?;
    keep_an_admin(tx).await
}

/// Call it after the event is recorded: the audit log's head is then locked until this transaction ends, so two admins
/// who demote each other at once see each other's change.
async fn keep_an_admin(tx: &mut Tx) -> Result<()> {
    if store::enabled_admins(tx).await? == 0 { Err(Error::LastAdmin) } else { Ok(()) }
}

impl Person {
    #[must_use]
    pub const fn is_disabled(&self) -> bool {
        self.disabled_at.is_some()
    }

    /// As the limits know them.
    #[must_use]
    pub fn account(&self) -> Account<'_> {
        Account { id: self.id, username: &self.username_key, email: &self.email }
    }
}

fn event(action: Action, actor: Option<Uuid>, target: Uuid) -> Event {
    Event { action, actor, target: target.to_string(), outcome: Outcome::Done }
}

fn limit(text: &str) -> Result<i64> {
    if text.is_empty() {
        return Ok(PAGE);
    }
    let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
    limit.ok_or_else(|| Error::field("limit", "limit must be a number from 1 to 200."))
}
