//! What administrators see of the rate limits, and how they unblock clients and accounts.

pub mod actions;
pub mod api;
pub mod pages;

use std::sync::Arc;

use crate::accounts::people::{self, By, Person};
use crate::accounts::store;
use crate::admin::limits::actions::{LIMIT_RELEASE, USER_UNLOCK};
use crate::audit::{AuditLog, Event, Outcome};
use crate::client_ip::ClientIp;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::identity::{RequestMeta, Viewer};
use crate::limiter::Limiter;
use crate::limiter::blocked::Blocked;
use crate::limiter::nodes::Overview;
use crate::limiter::policy::ClientKind;
use crate::system::System;
use crate::web::deps::WebDeps;
use axum::extract::FromRef;
use uuid::Uuid;

#[derive(Clone)]
pub struct Limits {
    pub db: Db,
    pub system: System,
    pub audit: AuditLog,
    pub limiter: Limiter,
    pub clients: ClientIp,
    /// Redis keeps the limits of all nodes, when it answers.
    pub is_shared: bool,
}

#[derive(Clone, FromRef)]
pub struct LimitsState {
    pub limits: Arc<Limits>,
    pub deps: Arc<WebDeps>,
}

pub struct LimitsOverview {
    pub overview: Overview,
    /// The header of a proxy through which all clients seem to come, and which the configuration doesn't know.
    pub unknown_proxy: Option<&'static str>,
}

impl Limits {
    pub fn new(
        db: &Db,
        system: &System,
        audit: &AuditLog,
        limiter: &Limiter,
        clients: ClientIp,
        is_shared: bool,
    ) -> Self {
        Self {
            db: db.clone(),
            system: system.clone(),
            audit: audit.clone(),
            limiter: limiter.clone(),
            clients,
            is_shared,
        }
    }

    pub async fn standing(&self, viewer: &Viewer) -> Result<LimitsOverview> {
        viewer.require_admin()?;
        let overview = self.limiter.overview().await;
        Ok(LimitsOverview { overview, unknown_proxy: self.clients.unknown_proxy() })
    }

    /// On all nodes. `client`: its twelve digits. [`Error::NotFound`] when no such client or account is limited.
    pub async fn release(&self, viewer: &Viewer, client: &str, origin: &RequestMeta) -> Result<()> {
        viewer.require_admin()?;
        if !self.limiter.release(client).await {
            return Err(Error::NotFound);
        }
        let event = Event {
            action: LIMIT_RELEASE,
            actor: viewer.id(),
            target: client.to_owned(),
            outcome: Outcome::Done,
        };
        Ok(self.audit.begin(&self.db).await?.commit(origin, &[event]).await?)
    }

    /// For passwords, codes and emails. [`Error::NotFound`] when there is no such account.
    pub async fn unlock(&self, by: By<'_>, person: Uuid, origin: &RequestMeta) -> Result<()> {
        let (actor, target) = (by.actor()?, person.to_string());
        let person = people::store::find(&self.db, person).await?.ok_or(Error::NotFound)?;
        let event = Event { action: USER_UNLOCK, actor, target, outcome: Outcome::Done };
        let mut tx = self.audit.begin(&self.db).await?;
        store::factor::forget_tries(&mut tx, person.id).await?;
        tx.commit(origin, &[event]).await?;
        self.limiter.unlock(person.account()).await;
        Ok(())
    }

    /// The clients that are blocked now, accounts by their names; for admins.
    pub async fn held(&self, viewer: &Viewer) -> Result<Vec<Held>> {
        viewer.require_admin()?;
        let blocked = self.limiter.overview().await.blocked;
        let is_named = |blocked: &Blocked| {
            blocked.account.is_some()
                || matches!(blocked.policy.client_kind(), ClientKind::Account | ClientKind::Email)
        };
        let people = if blocked.iter().any(is_named) {
            people::store::page(&self.db, "", "", i64::MAX).await?
        } else {
            Vec::new()
        };
        let held = blocked.into_iter().filter(|blocked| !blocked.shadow).map(|blocked| {
            let mut people = people.iter();
            let person = people.find(|person| self.limiter.is_of(&blocked, person.account())).cloned();
            Held { blocked, person }
        });
        Ok(held.collect())
    }
}

#[derive(Debug)]
pub struct Held {
    pub blocked: Blocked,
    /// `None` for an address, of which only a digest is known.
    pub person: Option<Person>,
}
