//! The devices on which a user is signed in, and signing out on them.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::store::DeviceRow;
use super::{Sessions, Stale, store};
use crate::audit::{AuditedTx, Event};
use crate::error::{Error, Result};
use crate::identity::{Identity, Member, RequestMeta};
use crate::sessions::actions::{LOG_OUT, SESSION_END, SESSIONS_END};
use crate::timestamp::Timestamp;

/// A signed-in browser or program: a session, or a refresh family with its sessions.
#[derive(Clone, Debug)]
pub struct Device {
    pub id: Uuid,
    pub browser: String,
    /// As the program named it; may be empty.
    pub name: String,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// Whether it was last seen in the network of this request; `None` when unknown.
    pub same_network: Option<bool>,
    pub is_current: bool,
    /// It stays signed in when its session expires.
    pub stays: bool,
    pub is_program: bool,
}

impl Sessions {
    /// The current device first, then by when they were last seen.
    pub async fn devices(&self, identity: &Identity, origin: &RequestMeta) -> Result<Vec<Device>> {
        let member = identity.viewer.signed_in()?;
        let rows = store::devices(&self.db, member.id, self.context.now()).await?;
        let mut by_device: BTreeMap<Uuid, Device> = BTreeMap::new();
        for row in rows {
            let seen = device(&row, identity, origin);
            by_device.entry(seen.id).and_modify(|known| known.merge(&seen)).or_insert(seen);
        }
        let mut devices: Vec<Device> = by_device.into_values().collect();
        devices.sort_by_key(|device| (!device.is_current, std::cmp::Reverse(device.last_seen)));
        Ok(devices)
    }

    pub async fn is_elsewhere(&self, identity: &Identity, origin: &RequestMeta) -> Result<bool> {
        Ok(self.devices(identity, origin).await?.iter().any(|device| !device.is_current))
    }

    /// [`Error::NotFound`] when it is not the owner's.
    pub async fn end_device(&self, owner: &Member, device: Uuid, origin: &RequestMeta) -> Result<()> {
        let mut tx = self.audit.begin(&self.db).await?;
        let stale = self.end_device_in(&mut tx, owner.id, device).await?.ok_or(Error::NotFound)?;
        let event = Event { target: device.to_string(), ..Event::own(SESSION_END, owner.id) };
        self.commit_end(tx, stale, event, origin).await
    }

    pub async fn end_others(&self, identity: &Identity, origin: &RequestMeta) -> Result<()> {
        let member = identity.viewer.signed_in()?;
        let mut tx = self.audit.begin(&self.db).await?;
        let stale = self.end_all_in(&mut tx, member.id, identity.device()).await?;
        self.commit_end(tx, stale, Event::own(SESSIONS_END, member.id), origin).await
    }

    pub async fn log_out(&self, identity: &Identity, origin: &RequestMeta) -> Result<()> {
        let (Some(member), Some(device)) = (identity.viewer.member(), identity.device()) else {
            return Ok(());
        };
        let mut tx = self.audit.begin(&self.db).await?;
        let stale = self.end_device_in(&mut tx, member.id, device).await?.unwrap_or_default();
        self.commit_end(tx, stale, Event::own(LOG_OUT, member.id), origin).await
    }

    /// Commits what ends sessions, and tells Redis and the other nodes.
    pub async fn commit_end(
        &self,
        tx: AuditedTx,
        ended: Stale,
        event: Event,
        origin: &RequestMeta,
    ) -> Result<()> {
        tx.commit(origin, &[event]).await?;
        Ok(self.settle(ended).await?)
    }
}

fn device(row: &DeviceRow, identity: &Identity, origin: &RequestMeta) -> Device {
    let id = row.family_id.unwrap_or(row.id);
    let networks = row.network.as_deref().zip(origin.network.as_ref());
    Device {
        id,
        browser: row.browser.clone(),
        name: row.name.clone(),
        first_seen: row.created_at,
        last_seen: row.seen_at,
        same_network: networks.map(|(there, here)| there == here),
        is_current: identity.device() == Some(id),
        stays: row.family_id.is_some(),
        is_program: row.kind == "api",
    }
}

impl Device {
    fn merge(&mut self, other: &Self) {
        self.first_seen = self.first_seen.min(other.first_seen);
        if other.last_seen > self.last_seen {
            self.last_seen = other.last_seen;
            self.same_network = other.same_network;
            self.browser.clone_from(&other.browser);
        }
    }
}
