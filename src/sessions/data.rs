//! What a session holds: one struct under one key, and in its copies the person whose session it is beside it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower_sessions::Session;
use tower_sessions::session::Record;
use uuid::Uuid;

use crate::accounts::Member;
use crate::error::Result;

/// The session's own data.
pub const OWN: &str = "session";
/// The person as the users' table has them; never part of the row.
pub const MEMBER: &str = "member";

/// What the session knows by itself. Moments are in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Data {
    pub login: Option<Login>,
    pub sudo: Option<Sudo>,
    pub between: Option<Between>,
    /// The sealed secret of a second factor that no code has proved yet.
    pub offered: Option<String>,
}

/// Who is signed in, and where.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Login {
    pub user: Uuid,
    /// The person's, when they signed in. The session ends with the next.
    pub epoch: i64,
    pub since: i64,
    pub seen: i64,
    /// Proves that a form came from this session.
    pub csrf: String,
    /// What the device list calls the session.
    pub id: Uuid,
    /// What keeps the device signed in, if something does.
    pub family: Option<Uuid>,
    pub browser: String,
    /// The keyed hash of the network, in hexadecimal.
    pub network: Option<String>,
}

/// Sudo mode.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Sudo {
    pub until: i64,
    /// Of the person when it began or was renewed: it ends with the next change of a factor in another session.
    pub factor_epoch: i64,
}

/// A person who has given the password, and no code yet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Between {
    pub user: Uuid,
    pub epoch: i64,
    pub until: i64,
    pub tries: u8,
    pub next: String,
    /// “Keep me logged in” was ticked.
    pub stays: bool,
}

impl Data {
    pub async fn of(session: &Session) -> Result<Self> {
        Ok(Self::read(session.get_value(OWN).await?.as_ref()))
    }

    /// Puts this in the place of what the session held.
    pub async fn keep(&self, session: &Session) -> Result<()> {
        Ok(session.insert(OWN, self).await?)
    }

    /// What a store was given to keep.
    #[must_use]
    pub fn in_record(record: &Record) -> Self {
        Self::read(record.data.get(OWN))
    }

    /// With the person who came with it.
    #[must_use]
    pub fn taken(mut record: Record) -> (Self, Option<Member>) {
        let mut take = |key| record.data.remove(key);
        let (own, member) = (take(OWN), take(MEMBER));
        let own = own.and_then(|own| serde_json::from_value(own).ok()).unwrap_or_default();
        (own, member.and_then(|member| serde_json::from_value(member).ok()))
    }

    /// What can't be read, as another version may have written it, is nothing.
    fn read(own: Option<&Value>) -> Self {
        own.and_then(|own| Self::deserialize(own).ok()).unwrap_or_default()
    }
}

/// Whose session it is, as it was read with it.
pub async fn member_of(session: &Session) -> Result<Option<Member>> {
    Ok(session.get(MEMBER).await?)
}
