//! What keeps a device or a program signed in: families of refresh tokens, each used once.
//!
//! A token's child is a keyed hash of the token itself. So a used token that comes again within the grace period, as
//! from parallel tabs, gets the same child, and the database never holds a usable token. A used token that comes
//! later was copied: its family ends.

mod access;
pub mod api;
mod derivation;
mod introspect;
mod rotation;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub use self::access::ACCESS_LIFE;
use self::derivation::DerivationKey;
pub use self::rotation::Rotation;
use crate::accounts::Accounts;
use crate::audit::{Action, AuditLog, Event};
use crate::db::{Db, Tx};
use crate::error::Result;
use crate::identity::{Member, RequestMeta, Scope};
use crate::keys::Keys;
use crate::named::named;
use crate::sessions::Sessions;
use crate::sessions::actions::SESSION_END;
use crate::system::System;
use crate::timestamp::Timestamp;
use crate::tokens::Tokens;
use crate::tokens::format::Prefix;
use crate::web::deps::WebDeps;

pub const ACTIONS: &[Action] = &[rotation::REFRESH_REUSED];

named! {
    pub enum Kind {
        Browser = "browser",
        Api = "api",
    }
}

#[derive(Clone, Debug)]
pub struct Refresh {
    db: Db,
    context: System,
    audit: AuditLog,
    sessions: Sessions,
    accounts: Accounts,
    tokens: Arc<Tokens>,
    key: DerivationKey,
    life: Duration,
    /// The link in emails.
    sessions_page: String,
}

#[derive(Clone, FromRef)]
pub struct RefreshState {
    pub refresh: Arc<Refresh>,
    pub deps: Arc<WebDeps>,
}

#[derive(Default)]
pub struct NewDevice<'a> {
    pub name: &'a str,
    pub scopes: &'a [Scope],
}

pub struct Grant {
    pub family: Uuid,
    pub member: Member,
    pub refresh_token: String,
    pub access_token: String,
    pub scopes: Vec<Scope>,
    /// Until the family expires.
    pub life: Duration,
    pub since: Timestamp,
}

pub struct Deps {
    pub db: Db,
    pub system: System,
    pub audit: AuditLog,
    pub sessions: Sessions,
    pub accounts: Accounts,
    pub tokens: Arc<Tokens>,
}

impl Refresh {
    pub fn new(deps: Deps, life: Duration, keys: &Keys, site: &str) -> Self {
        let Deps { db, system: context, audit, sessions, accounts, tokens } = deps;
        let key = DerivationKey(keys.derive("refresh"));
        let sessions_page = format!("{site}/settings/sessions");
        Self { db, context, audit, sessions, accounts, tokens, key, life, sessions_page }
    }

    pub async fn begin(
        &self,
        member: &Member,
        kind: Kind,
        device: &NewDevice<'_>,
        origin: &RequestMeta,
    ) -> Result<Grant> {
        let now = self.context.now();
        let family = store::Family {
            id: self.context.new_id(),
            user_id: member.id,
            kind: kind.as_str().to_owned(),
            scopes: Scope::join(device.scopes),
            browser: origin.browser.clone(),
            name: device.name.to_owned(),
            expires_at: now.plus(self.life),
            revoked_at: None,
            used_at: None,
        };
        let token = Prefix::Refresh.write(&self.context.random());
        let mut tx = self.db.begin().await?;
        store::insert_family(&mut tx, &family, origin.network.as_ref(), now).await?;
        self.put_token(&mut tx, family.id, &token, now).await?;
        tx.commit().await?;
        Ok(self.grant(&family, member.clone(), token, now))
    }

    /// Also ends the sessions of the family. The token may be used already.
    pub async fn revoke(&self, token: &str, origin: &RequestMeta) -> Result<()> {
        let mut tx = self.audit.begin(&self.db).await?;
        let Some(family) = store::family_of_any(&mut tx, &hash(token)).await? else { return Ok(()) };
        let ended = self.sessions.end_device_in(&mut tx, family.user_id, family.id).await?;
        let Some(ended) = ended else { return Ok(()) };
        let event = Event { target: family.id.to_string(), ..Event::own(SESSION_END, family.user_id) };
        self.sessions.commit_end(tx, ended, event, origin).await
    }

    async fn put_token(&self, tx: &mut Tx, family: Uuid, token: &str, now: Timestamp) -> Result<()> {
        let access = hash(&self.key.access_token(token));
        Ok(store::insert_token(tx, family, &hash(token), &access, now).await?)
    }

    fn grant(&self, family: &store::Family, member: Member, token: String, since: Timestamp) -> Grant {
        let remaining = family.expires_at.micros() - self.context.now().micros();
        Grant {
            family: family.id,
            member,
            access_token: self.key.access_token(&token),
            refresh_token: token,
            scopes: Scope::split(&family.scopes),
            life: Duration::from_micros(u64::try_from(remaining).unwrap_or(0)),
            since,
        }
    }
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
