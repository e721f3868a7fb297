//! What a session holds: one struct under one key, and in its copies the user beside it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower_sessions::Session;
use tower_sessions::session::Record;
use uuid::Uuid;

use crate::error::Result;
use crate::identity::Member;

pub const OWN: &str = "session";
/// The user as in the users' table; never part of the session's row.
pub const MEMBER: &str = "member";

/// All times are in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Data {
    pub login: Option<Login>,
    pub sudo: Option<Sudo>,
    pub between: Option<Between>,
    /// A second factor's sealed secret, until a code proves it.
    pub offered: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Login {
    pub user: Uuid,
    /// The user's when they signed in. The session ends when it rises.
    pub epoch: i64,
    pub since: i64,
    pub seen: i64,
    /// The token that forms of this session carry.
    pub csrf: String,
    pub id: Uuid,
    /// The refresh family that keeps the device signed in.
    pub family: Option<Uuid>,
    pub browser: String,
    /// The keyed hash of the network, in hexadecimal.
    pub network: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Sudo {
    pub until: i64,
    /// The user's when sudo mode began. Sudo mode ends when another session changes a factor.
    pub factor_epoch: i64,
}

/// A log-in between the password and the second factor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Between {
    pub user: Uuid,
    pub epoch: i64,
    pub until: i64,
    pub tries: u8,
    pub next: String,
    pub stays: bool,
}

impl Data {
    pub async fn from_session(session: &Session) -> Result<Self> {
        Ok(Self::parse(session.get_value(OWN).await?.as_ref()))
    }

    pub async fn keep(&self, session: &Session) -> Result<()> {
        Ok(session.insert(OWN, self).await?)
    }

    pub fn from_record(record: &Record) -> Self {
        Self::parse(record.data.get(OWN))
    }

    pub fn split_record(mut record: Record) -> (Self, Option<Member>) {
        let mut take = |key| record.data.remove(key);
        let (own, member) = (take(OWN), take(MEMBER));
        let own = own.and_then(|own| serde_json::from_value(own).ok()).unwrap_or_default();
        (own, member.and_then(|member| serde_json::from_value(member).ok()))
    }

    /// Data that can't be decoded, as another version of coffer may have written it, counts as empty.
    fn parse(own: Option<&Value>) -> Self {
        own.and_then(|own| Self::deserialize(own).ok()).unwrap_or_default()
    }
}

pub async fn member_of(session: &Session) -> Result<Option<Member>> {
    Ok(session.get(MEMBER).await?)
}

/// For the rest of the request: the row does without, and a copy gets it when it is made.
pub async fn keep_member(session: &Session, member: &Member) -> Result<()> {
    Ok(session.insert(MEMBER, member).await?)
}
