//! Personal API tokens: made in the settings or on the command line, shown once, good for some scopes and a time.

pub mod actions;
pub mod api;
pub mod format;
pub mod pages;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use self::format::Prefix;
pub use self::store::{Known, Token};
use crate::audit::{Action, AuditLog, Event};
use crate::db::{Db, Tx};
use crate::error::{Error, FieldErrors, Result};
use crate::identity::{Member, RequestMeta, Role, Scope, TokenLimits};
use crate::system::System;
use crate::tokens::actions::{TOKEN_CREATE, TOKEN_REVOKE};
use crate::web::deps::WebDeps;

/// How long a token is good unless its maker chooses otherwise, in days.
pub const DEFAULT_DAYS: u32 = 90;
/// The days to choose from; any number up to a year will do by API.
pub const CHOICES: [u32; 4] = [7, 30, 90, 365];
const MAX_DAYS: u32 = 365;
/// Noting a token's use costs a write, so it is noted this often at most.
const USE_EVERY: Duration = Duration::from_mins(5);
/// For this long a rotated token stays good beside its successor.
const GRACE: Duration = Duration::from_mins(1);
/// A token that was revoked is told from an unknown one for this long.
const TOLD_FOR: Duration = Duration::from_hours(90 * 24);
/// More than a person can keep track of.
const MAX_TOKENS: usize = 100;

#[derive(Clone, Debug)]
pub struct Tokens {
    db: Db,
    context: System,
    audit: AuditLog,
}

/// The token that a person asks for.
#[derive(Clone, Debug, Default)]
pub struct NewToken {
    pub name: String,
    pub scopes: Vec<String>,
    pub days: u32,
}

/// A token just made, and its text, which is never shown again.
pub struct Made {
    pub token: Token,
    pub secret: String,
}

/// What the routes of the tokens need.
#[derive(Clone, FromRef)]
pub struct TokensState {
    pub tokens: Arc<Tokens>,
    pub deps: Arc<WebDeps>,
}

impl Tokens {
    pub fn new(db: Db, context: System, audit: AuditLog) -> Self {
        Self { db, context, audit }
    }

    /// A token for this person. `within`: the limits of the token that asks for it, if one does.
    ///
    /// # Errors
    /// [`Error::Invalid`] at the fields, [`Error::UnknownScope`], [`Error::InsufficientScope`].
    pub async fn make(
        &self,
        owner: &Member,
        new: &NewToken,
        within: Option<&TokenLimits>,
        origin: &RequestMeta,
    ) -> Result<Made> {
        let scopes = check(new, owner.role)?;
        let now = self.context.now();
        let expires_at = now.plus(Duration::from_hours(u64::from(new.days) * 24));
        if let Some(within) = within {
            within.allow(&scopes, expires_at)?;
        }
        if store::of_user(&self.db, owner.id).await?.len() >= MAX_TOKENS {
            return Err(Error::field(
                "name",
                "You already have 100 tokens. Revoke one you don’t need first.",
            ));
        }
        let secret = Prefix::Personal.write(&self.context.random());
        let token = Token {
            id: self.context.new_id(),
            name: new.name.trim().to_owned(),
            scopes: Scope::join(&scopes),
            created_at: now,
            expires_at,
            last_used_at: None,
        };
        let mut tx = self.audit.begin(&self.db).await?;
        store::insert(&mut tx, owner.id, &token, &hash(&secret)).await?;
        tx.commit(origin, &[event(TOKEN_CREATE, owner.id, token.id)]).await?;
        Ok(Made { token, secret })
    }

    /// A person's tokens, the newest first.
    pub async fn list(&self, owner: &Member) -> Result<Vec<Token>> {
        Ok(store::of_user(&self.db, owner.id).await?)
    }

    /// # Errors
    /// [`Error::NotFound`] when it is not one of theirs.
    pub async fn revoke(&self, owner: &Member, id: Uuid, origin: &RequestMeta) -> Result<()> {
        let mut tx = self.audit.begin(&self.db).await?;
        if !store::revoke(&mut tx, owner.id, id, self.context.now()).await? {
            return Err(Error::NotFound);
        }
        Ok(tx.commit(origin, &[event(TOKEN_REVOKE, owner.id, id)]).await?)
    }

    /// All of a person's tokens, in the transaction of a changed password.
    pub async fn revoke_all_in(&self, tx: &mut Tx, owner: Uuid, origin: &RequestMeta) -> Result<()> {
        for id in store::revoke_all(tx, owner, self.context.now()).await? {
            self.audit.record(tx, origin, &event(TOKEN_REVOKE, owner, id)).await?;
        }
        Ok(())
    }

    /// Whose token this is and what it is good for: one look-up. Its use is noted now and then.
    ///
    /// # Errors
    /// [`Error::BadToken`], [`Error::TokenExpired`], [`Error::TokenRevoked`].
    pub async fn known(&self, secret: &str) -> Result<Known> {
        if !Prefix::Personal.fits(secret) {
            return Err(Error::BadToken);
        }
        let known = store::known(&self.db, &hash(secret)).await?.ok_or(Error::BadToken)?;
        let now = self.context.now();
        if known.revoked_at.is_some_and(|at| at <= now) {
            return Err(Error::TokenRevoked);
        }
        if known.expires_at <= now {
            return Err(Error::TokenExpired);
        }
        if known.last_used_at.is_none_or(|last| last.plus(USE_EVERY) < now) {
            store::note_use(&self.db, known.token_id, now).await?;
        }
        Ok(known)
    }

    /// Puts `successor` in the place of a token, which stays good for [`GRACE`]. Called again within it, it changes nothing.
    ///
    /// # Errors
    /// Those of [`Tokens::known`].
    pub async fn replace(&self, secret: &str, successor: String, origin: &RequestMeta) -> Result<Made> {
        let known = self.known(secret).await?;
        let (now, owner) = (self.context.now(), known.member.id);
        let mut tx = self.audit.begin(&self.db).await?;
        if !store::revoke(&mut tx, owner, known.token_id, now.plus(GRACE)).await? {
            let token = store::by_hash(&mut tx, &hash(&successor)).await?.ok_or(Error::TokenRevoked)?;
            return Ok(Made { token, secret: successor });
        }
        let life = known.expires_at.micros().saturating_sub(known.created_at.micros());
        let token = Token {
            id: self.context.new_id(),
            name: known.name,
            scopes: known.scopes,
            created_at: now,
            expires_at: now.plus(Duration::from_micros(u64::try_from(life).unwrap_or(0))),
            last_used_at: None,
        };
        store::insert(&mut tx, owner, &token, &hash(&successor)).await?;
        let events = [event(TOKEN_CREATE, owner, token.id), event(TOKEN_REVOKE, owner, known.token_id)];
        tx.commit(origin, &events).await?;
        Ok(Made { token, secret: successor })
    }

    /// Forgets tokens that were revoked long ago.
    pub async fn forget_revoked(&self) -> Result<()> {
        Ok(store::forget_revoked(&self.db, self.context.now().minus(TOLD_FOR)).await?)
    }

    pub fn is_over(&self, token: &Token) -> bool {
        token.expires_at <= self.context.now()
    }
}

fn event(action: Action, owner: Uuid, token: Uuid) -> Event {
    Event { target: token.to_string(), ..Event::own(action, owner) }
}

fn check(new: &NewToken, role: Role) -> Result<Vec<Scope>> {
    let name = new.name.trim();
    let mut errors = FieldErrors::default();
    if name.is_empty() || new.name.chars().count() > 80 {
        errors.add(
            "name",
            "Enter a name of 1 to 80 characters, for example the program that will use the token.",
        );
    } else if name.chars().any(char::is_control) {
        errors.add("name", "This name contains an invisible control character. Type it again.");
    }
    if !(1..=MAX_DAYS).contains(&new.days) {
        errors.add("days", "Choose 1 to 365 days.");
    }
    if new.scopes.is_empty() {
        errors.add("scopes", "Choose at least one permission.");
    }
    errors.or(())?;
    Scope::allowed(Some(Scope::parse_all(&new.scopes)?), role)
}

/// The name of a device that signs in.
///
/// # Errors
/// [`Error::Invalid`] at `device`.
pub fn check_device(typed: &str) -> Result<&str> {
    let name = typed.trim();
    if typed.chars().count() > 80 || name.chars().any(char::is_control) {
        return Err(Error::field("device", "Give the device a name of at most 80 visible characters."));
    }
    Ok(name)
}

fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

impl Token {
    /// The scopes it was made with.
    pub fn scopes(&self) -> Vec<Scope> {
        Scope::split(&self.scopes)
    }
}

impl Known {
    pub fn scopes(&self) -> Vec<Scope> {
        Scope::split(&self.scopes)
    }
}
