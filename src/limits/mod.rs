//! What administrators see of the limits and do about them: how they stand, who is held back, and letting them go on.

pub mod api;
pub mod pages;

use std::sync::Arc;

use crate::accounts::people::{By, Person};
use crate::accounts::{require_admin, store};
use crate::audit::{Action, Audit, Event, Outcome};
use crate::context::Context;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::limiter::Limiter;
use crate::limiter::nodes::Overview;
use crate::web::client::Clients;
use crate::web::deps::WebDeps;
use crate::web::origin::Origin;
use crate::web::viewer::Viewer;
use axum::extract::FromRef;

#[derive(Clone)]
pub struct Limits {
    pub db: Db,
    pub system: Context,
    pub audit: Audit,
    pub limiter: Limiter,
    pub clients: Clients,
    /// Redis keeps the limits of all nodes, when it answers.
    pub is_shared: bool,
}

/// What the routes need.
#[derive(Clone, FromRef)]
pub struct LimitsState {
    pub limits: Arc<Limits>,
    pub deps: Arc<WebDeps>,
}

/// How the limits stand.
pub struct Standing {
    pub overview: Overview,
    /// The header of a proxy through which everybody seems to come, and which the configuration doesn't know.
    pub unknown_proxy: Option<&'static str>,
}

impl Limits {
    pub async fn standing(&self, viewer: &Viewer) -> Result<Standing> {
        require_admin(viewer)?;
        let overview = self.limiter.overview().await;
        Ok(Standing { overview, unknown_proxy: self.clients.unknown_proxy() })
    }

    /// Lets the client go on that is shown by these twelve digits, at every node.
    ///
    /// # Errors
    /// [`Error::NotFound`] when nobody like that is held back.
    pub async fn release(&self, viewer: &Viewer, client: &str, origin: &Origin) -> Result<()> {
        require_admin(viewer)?;
        if !self.limiter.release(client).await {
            return Err(Error::NotFound);
        }
        let event = Event {
            action: Action::LimitRelease,
            actor: viewer.id(),
            target: client.to_owned(),
            outcome: Outcome::Done,
        };
        let mut tx = self.db.begin().await?;
        self.audit.record(&mut tx, origin, &event).await?;
        Ok(tx.commit().await?)
    }

    /// Lets somebody try again whose account the limits hold back: passwords, codes and letters.
    pub async fn unlock(&self, by: By<'_>, person: &Person, origin: &Origin) -> Result<()> {
        let event = Event {
            action: Action::UserUnlock,
            actor: by.actor()?,
            target: person.id.to_string(),
            outcome: Outcome::Done,
        };
        let mut tx = self.db.begin().await?;
        store::factor::forget_tries(&mut tx, person.id).await?;
        self.audit.record(&mut tx, origin, &event).await?;
        tx.commit().await?;
        self.limiter.unlock(person.account()).await;
        Ok(())
    }
}
