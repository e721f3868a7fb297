//! Users and how they get in. Verbs are here, SQL is in `store`, HTML in `pages`, JSON in `api`.

pub mod actions;
pub mod address;
pub mod api;
pub mod change;
pub mod data;
mod devices;
pub mod factor;
pub mod fields;
mod login;
mod password;
pub mod people;
pub mod policy;
pub mod proof;
mod recovery;
mod registration;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

use self::factor::FactorKeys;
use self::password::{Judged, Passwords};
use self::policy::AccountSettings;
pub use self::proof::{Proof, Proved};
pub use self::recovery::NewPassword;
pub use self::registration::NewAccount;
pub use self::store::Purpose;
use crate::audit::{AuditLog, Event};
use crate::cache::Cache;
use crate::db::Db;
use crate::error::Result;
use crate::identity::{Member, RequestMeta};
use crate::keys::Keys;
use crate::limiter::Limiter;
use crate::mail::Mail;
use crate::names::key;
use crate::public_url::PublicUrl;
use crate::sessions::Sessions;
use crate::system::System;
use crate::tokens::Tokens;

/// How long the first admin may take to open the setup link.
pub const SETUP_LIFE: Duration = Duration::from_mins(30);
/// How long a mailed link works.
pub const LINK_LIFE: Duration = Duration::from_hours(1);

#[derive(Clone, Debug)]
pub struct Accounts {
    db: Db,
    cache: Cache,
    context: System,
    audit: AuditLog,
    mail: Mail,
    sessions: Sessions,
    limiter: Limiter,
    tokens: Tokens,
    /// Scheme and host of the links in emails.
    site: Arc<str>,
    passwords: Arc<Passwords>,
    factor_keys: Arc<FactorKeys>,
}

pub struct Deps {
    pub db: Db,
    pub cache: Cache,
    pub system: System,
    pub audit: AuditLog,
    pub mail: Mail,
    pub sessions: Sessions,
    pub limiter: Limiter,
}

impl Accounts {
    pub fn new(
        deps: Deps,
        settings: &AccountSettings,
        site: &PublicUrl,
        keys: &Keys,
    ) -> Result<Self, String> {
        let passwords =
            Arc::new(Passwords::new(settings.password_memory, settings.password_passes, &site.host())?);
        let Deps { db, cache, system: context, audit, mail, sessions, limiter } = deps;
        let factor_keys = Arc::new(FactorKeys::new(keys));
        Ok(Self {
            tokens: Tokens::new(db.clone(), context.clone(), audit.clone()),
            db,
            cache,
            context,
            audit,
            mail,
            sessions,
            limiter,
            site: site.address().into(),
            passwords,
            factor_keys,
        })
    }

    pub async fn by_username(&self, username: &str) -> Result<Option<Member>> {
        Ok(store::by_username(&self.db, &key(username)).await?)
    }

    pub async fn all(&self) -> Result<Vec<Member>> {
        Ok(store::all(&self.db).await?)
    }

    #[must_use]
    pub fn judge_password(&self, password: &str, about_them: &[&str]) -> Judged {
        self.passwords.judge(password, about_them)
    }

    /// Records an event that comes with no other change in the database.
    pub async fn note(&self, origin: &RequestMeta, event: &Event) -> Result<()> {
        Ok(self.audit.begin(&self.db).await?.commit(origin, std::slice::from_ref(event)).await?)
    }

    /// A new setup token while there is no account yet; earlier ones stop working.
    pub async fn begin_setup(&self) -> Result<Option<String>> {
        if !self.is_empty().await? {
            return Ok(None);
        }
        store::clear_tokens(&self.db, Purpose::Setup).await?;
        self.new_token(Purpose::Setup, SETUP_LIFE).await.map(Some)
    }

    /// Whether there is no account yet.
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(!store::is_anybody_there(&self.db).await?)
    }

    pub async fn token_stands(&self, purpose: Purpose, token: &str) -> Result<bool> {
        Ok(store::token_stands(&self.db, purpose, &hash_of(token), self.context.now()).await?)
    }

    fn secret(&self) -> String {
        BASE64URL_NOPAD.encode(&self.context.random::<32>())
    }

    async fn new_token(&self, purpose: Purpose, life: Duration) -> Result<String> {
        let token = self.secret();
        let now = self.context.now();
        store::put_token(&self.db, purpose, &hash_of(&token), now, now.plus(life)).await?;
        Ok(token)
    }
}

fn hash_of(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
