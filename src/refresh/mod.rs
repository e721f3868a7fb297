//! What keeps a device or a program signed in: families of refresh tokens, each used once.
//!
//! A token's child is a keyed hash of the token itself. So a used token that comes again within the grace period, as
//! from parallel tabs, gets the same child, and the database never holds a usable token. A used token that comes
//! later was copied: its family ends.

pub mod api;
mod introspect;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use hmac::Mac as _;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::accounts::Accounts;
use crate::accounts::change::SessionEffect;
use crate::sessions::actions::SESSION_END;

use crate::audit::{Action, AuditLog, Event, Outcome};
use crate::db::{Db, Tx};
use crate::error::Result;
use crate::identity::{Member, RequestMeta, Scope};
use crate::keys::{Keys, mac};
use crate::mail::Email;
use crate::named::named;
use crate::sessions::Sessions;
use crate::system::System;
use crate::telemetry::metrics::Method;
use crate::timestamp::Timestamp;
use crate::tokens::Tokens;
use crate::tokens::format::Prefix;
use crate::web::deps::WebDeps;

const REFRESH_REUSED: Action =
    Action::new("refresh.reused", "A login token was used twice, so the device was logged out")
        .with_target("device");
pub const ACTIONS: &[Action] = &[REFRESH_REUSED];
pub const ACCESS_LIFE: Duration = Duration::from_mins(15);

named! {
    pub enum Kind {
        Browser = "browser",
        Api = "api",
    }
}

impl Kind {
    /// For this long a used token gets the same child again, for parallel tabs or a program that lost the answer.
    const fn grace(self) -> Duration {
        match self {
            Self::Browser => Duration::from_secs(10),
            Self::Api => Duration::from_mins(1),
        }
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

#[derive(Clone)]
struct DerivationKey([u8; 32]);

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

pub enum Rotation {
    Granted(Box<Grant>),
    /// The token was used before, and its family has been ended.
    Reused,
    Revoked,
    Expired,
    /// None of ours, or of another kind of client.
    Unknown,
}

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

    /// In one transaction.
    pub async fn rotate(&self, token: &str, kind: Kind, origin: &RequestMeta) -> Result<Rotation> {
        let rotated = self.exchange(token, kind, origin).await?;
        self.audit.attempted(Method::RefreshToken, matches!(rotated, Rotation::Granted(_)));
        Ok(rotated)
    }

    async fn exchange(&self, token: &str, kind: Kind, origin: &RequestMeta) -> Result<Rotation> {
        if !Prefix::Refresh.fits(token) {
            return Ok(Rotation::Unknown);
        }
        let now = self.context.now();
        let mut tx = self.db.begin().await?;
        let first = store::use_up(&mut tx, &hash(token), now).await?;
        let family = store::family_of(&mut tx, &hash(token)).await?;
        let Some(family) = family.filter(|family| family.kind == kind.as_str()) else {
            return Ok(Rotation::Unknown);
        };
        let member = store::member(&mut tx, family.user_id).await?;
        if family.revoked_at.is_some() {
            return Ok(Rotation::Revoked);
        }
        let (Some(member), true) = (member, family.expires_at > now) else { return Ok(Rotation::Expired) };
        let used_at = family.used_at.unwrap_or(now);
        if !first && used_at.plus(kind.grace()) < now {
            self.end_reused(tx, &family, &member, origin).await?;
            return Ok(Rotation::Reused);
        }
        let child = self.child(token);
        if first {
            self.put_token(&mut tx, family.id, &child, now).await?;
            store::touch(&mut tx, family.id, &origin.browser, origin.network.as_ref(), now).await?;
        }
        tx.commit().await?;
        Ok(Rotation::Granted(Box::new(self.grant(&family, member, child, used_at))))
    }

    async fn end_reused(
        &self,
        tx: Tx,
        family: &store::Family,
        member: &Member,
        origin: &RequestMeta,
    ) -> Result<()> {
        let mut change = self.accounts.change_in(tx);
        let browser = if family.browser.is_empty() { "a device" } else { &family.browser };
        let email =
            Email::RefreshReused { browser: browser.to_owned(), sessions: self.sessions_page.clone() };
        change.tell(member.id, &email).await?;
        let event = Event {
            target: family.id.to_string(),
            outcome: Outcome::Refused,
            ..Event::own(REFRESH_REUSED, member.id)
        };
        let effect = SessionEffect::EndDevice { user: member.id, device: family.id };
        change.commit(origin, event, effect).await
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

    pub async fn access(&self, token: &str) -> Result<Option<Access>> {
        Ok(store::access(&self.db, &hash(token)).await?.map(Access::from))
    }

    /// The rights that a refresh token renews; `None` once it is used.
    async fn unused(&self, token: &str) -> Result<Option<Access>> {
        Ok(store::unused(&self.db, &hash(token)).await?.map(Access::from))
    }

    async fn put_token(&self, tx: &mut Tx, family: Uuid, token: &str, now: Timestamp) -> Result<()> {
        let access = hash(&self.access_token(token));
        Ok(store::insert_token(tx, family, &hash(token), &access, now).await?)
    }

    fn grant(&self, family: &store::Family, member: Member, token: String, since: Timestamp) -> Grant {
        let remaining = family.expires_at.micros() - self.context.now().micros();
        Grant {
            family: family.id,
            member,
            access_token: self.access_token(&token),
            refresh_token: token,
            scopes: Scope::split(&family.scopes),
            life: Duration::from_micros(u64::try_from(remaining).unwrap_or(0)),
            since,
        }
    }

    fn child(&self, token: &str) -> String {
        Prefix::Refresh.write(&self.key.hash(b"child", token))
    }

    fn access_token(&self, token: &str) -> String {
        Prefix::Access.write(&self.key.hash(b"access", token))
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

impl DerivationKey {
    fn hash(&self, purpose: &[u8], token: &str) -> [u8; 32] {
        let mut mac = mac(&self.0);
        mac.update(purpose);
        mac.update(token.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for DerivationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DerivationKey")
    }
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
