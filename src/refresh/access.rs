//! What an access token allows, and a refresh token that was not used yet.

use std::time::Duration;

use uuid::Uuid;

use super::{Refresh, hash, store};
use crate::error::Result;
use crate::identity::{Member, Scope};
use crate::timestamp::Timestamp;

pub const ACCESS_LIFE: Duration = Duration::from_mins(15);

pub struct Access {
    pub family: Uuid,
    pub member: Member,
    pub scopes: Vec<Scope>,
    pub expires_at: Timestamp,
    pub family_until: Timestamp,
    pub is_revoked: bool,
    /// Of the device.
    pub name: String,
}

impl Refresh {
    pub async fn access(&self, token: &str) -> Result<Option<Access>> {
        Ok(store::access(&self.db, &hash(token)).await?.map(Access::from))
    }

    /// The rights that a refresh token renews; `None` once it is used.
    pub(super) async fn unused(&self, token: &str) -> Result<Option<Access>> {
        Ok(store::unused(&self.db, &hash(token)).await?.map(Access::from))
    }
}

impl From<store::AccessRow> for Access {
    fn from(row: store::AccessRow) -> Self {
        Self {
            family: row.family,
            scopes: Scope::split(&row.scopes),
            expires_at: row.created_at.plus(ACCESS_LIFE),
            family_until: row.family_until,
            is_revoked: row.is_revoked,
            name: row.name,
            member: row.member,
        }
    }
}
