//! A session and its user at one moment, kept in memory until either changes: a request that changes nothing asks no store.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tower_sessions::SessionStore as _;
use tower_sessions::session::{Id, Record};
use uuid::Uuid;

use super::data::{Data, Login};
use super::{Sessions, expiry, stored};
use crate::cache::{Cached, Key, Kind, Scope, Scopes, Ttl, status};
use crate::error::{Error, Result};
use crate::identity::Member;
use crate::timestamp::Timestamp;

/// With its jitter less than [`super::KNOWN_WITHIN`]: even a node that hears nothing is wrong for no longer.
const LIFE: Duration = Duration::from_millis(1800);
/// Before the hashed id of a session, in the names of scopes.
const SESSION: char = 's';

pub static SNAPSHOT: Kind<SessionSnapshot> = Kind {
    name: "session",
    schema: 1,
    ttl: Ttl { soft: LIFE, hard: LIFE },
    is_shared: false,
    is_composed: false,
    value: PhantomData,
};

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SessionSnapshot {
    session: Data,
    member: Option<Member>,
    /// When the session ends unless it is used again, in microseconds.
    expires: i64,
}

impl SessionSnapshot {
    /// The user, until the session's end; `longest` counts from the log-in.
    #[must_use]
    pub fn signed_in(&self, now: Timestamp, longest: Duration) -> Option<(&Login, &Member)> {
        let lasts = self.expires > now.micros();
        signed_in(&self.session, self.member.as_ref(), now, longest).filter(|_| lasts)
    }
}

#[must_use]
pub fn signed_in<'a>(
    session: &'a Data,
    member: Option<&'a Member>,
    now: Timestamp,
    longest: Duration,
) -> Option<(&'a Login, &'a Member)> {
    let (login, member) = session.login.as_ref().zip(member)?;
    let lasts = Timestamp::from_micros(login.since).plus(longest) > now;
    (lasts && login.user == member.id && login.epoch == member.auth_epoch).then_some((login, member))
}

impl From<Record> for SessionSnapshot {
    fn from(record: Record) -> Self {
        let expires = expiry(&record).micros();
        let (session, member) = Data::split_record(record);
        Self { session, member, expires }
    }
}

impl Cached for SessionSnapshot {
    fn weight(&self) -> usize {
        let Data { login, between, offered, .. } = &self.session;
        let login = login.as_ref().map_or(0, |login| login.csrf.len() + login.browser.len() + 32);
        let between = between.as_ref().map_or(0, |between| between.next.len());
        let member = self
            .member
            .as_ref()
            .map_or(0, |member| member.email.len() + member.username.len() + member.display_name.len());
        size_of::<Self>() + login + between + member + offered.as_ref().map_or(0, String::len)
    }

    /// The key is the session's own id, which only its browser knows.
    fn is_for(&self, viewer: Option<Uuid>) -> bool {
        viewer.is_none()
    }
}

impl Sessions {
    /// At most two seconds old, and as a rule milliseconds: by then this node hears of changes on other nodes.
    pub async fn snapshot(&self, id: Id) -> Result<Option<Arc<SessionSnapshot>>> {
        let (sessions, stored) = (self.clone(), stored(id));
        let load = |_| async move {
            let record = sessions.load(&id).await;
            record
                .map(|record| record.map(SessionSnapshot::from))
                .map_err(|error| Error::Unavailable(format!("session store: {error}")))
        };
        let key = Key::public(stored.0.to_le_bytes());
        let reading = self.cache.get(&SNAPSHOT, key, Scopes::one(scope(stored)), load);
        // The cache's status for the session says nothing of the answer.
        status::watch(reading).await.0
    }
}

pub(super) fn scope(stored: Id) -> Scope {
    Scope::Noun(SESSION, Uuid::from_bytes(stored.0.to_le_bytes()))
}
