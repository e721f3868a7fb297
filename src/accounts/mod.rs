//! People: who they are and how they get in. The verbs; SQL is in `store`, the two skins in `pages` and `api`.

mod address;
pub mod api;
pub mod data;
mod devices;
pub mod factor;
mod forgotten;
mod invites;
mod login;
pub mod pages;
mod password;
pub mod people;
mod recovery;
mod settings;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;
mod strength;
mod sudo;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;
use utoipa::ToSchema;
use uuid::Uuid;

use self::factor::FactorKeys;
use self::password::{Judged, Passwords};
use self::store::Address;
pub use self::store::Purpose;
use crate::audit::{Action, Audit, Event};
use crate::cache::Cache;
use crate::config::Config;
use crate::context::Context;
use crate::db::Db;
use crate::error::{Error, FieldErrors, Result};
use crate::keys::Keys;
use crate::mail::Mail;
use crate::sessions::Sessions;
use crate::web::origin::Origin;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

/// How long the first admin may take to open the set-up link.
pub const SETUP_LIFE: Duration = Duration::from_mins(30);
/// How long a mailed link works.
pub const LINK_LIFE: Duration = Duration::from_hours(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Member,
    Admin,
}

impl Role {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
        }
    }
}

impl TryFrom<String> for Role {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "member" => Ok(Self::Member),
            "admin" => Ok(Self::Admin),
            _ => Err(text),
        }
    }
}

/// A person with an account, as the rest of coffer knows them.
#[derive(Clone, Debug, Deserialize, Serialize, sqlx::FromRow)]
pub struct Member {
    pub id: Uuid,
    pub email: String,
    pub username: String,
    pub display_name: String,
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// Sessions carry the epoch they began in; another epoch ends them all.
    pub auth_epoch: i64,
    /// The e-mail address was confirmed.
    pub verified: bool,
    /// A code is asked for besides the password.
    pub second_factor: bool,
}

/// What a person gives to get an account.
#[derive(Clone, Default)]
pub struct NewAccount {
    pub email: String,
    pub username: String,
    /// Empty: the username serves.
    pub display_name: String,
    pub password: String,
}

/// A [`NewAccount`] that keeps every rule.
struct Checked {
    email: String,
    username: String,
    display_name: String,
}

#[derive(Clone, Debug)]
pub struct Accounts {
    db: Db,
    cache: Cache,
    context: Context,
    audit: Audit,
    mail: Mail,
    sessions: Sessions,
    /// Scheme and host of the links in letters.
    site: Arc<str>,
    passwords: Arc<Passwords>,
    factor_keys: Arc<FactorKeys>,
}

impl Accounts {
    /// # Errors
    /// A sentence when the Argon2id parameters are out of range.
    pub fn new(
        (db, cache, context): (Db, Cache, Context),
        (audit, mail, sessions): (Audit, Mail, Sessions),
        config: &Config,
        site: &Site,
        keys: &Keys,
    ) -> Result<Self, String> {
        let passwords =
            Arc::new(Passwords::new(config.password_memory, config.password_passes, &site.host())?);
        let factor_keys = Arc::new(FactorKeys::new(keys));
        Ok(Self {
            db,
            cache,
            context,
            audit,
            mail,
            sessions,
            site: site.origin().into(),
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

    /// How a new password would fare, of somebody of whom these names and addresses are known.
    #[must_use]
    pub fn judge_password(&self, password: &str, about_them: &[&str]) -> Judged {
        self.passwords.judge(password, about_them)
    }

    /// Writes an event of which nothing else in the database changes.
    pub async fn note(&self, origin: &Origin, event: &Event) -> Result<()> {
        let mut tx = self.db.begin().await?;
        self.audit.record(&mut tx, origin, event).await?;
        Ok(tx.commit().await?)
    }

    /// An account for somebody who registers. The address is theirs once they have opened the letter that goes
    /// there; until then nothing tells them, or anybody, whether it is another account's.
    ///
    /// # Errors
    /// [`Error::Invalid`] at the fields.
    pub async fn register(&self, new: &NewAccount, origin: &Origin) -> Result<Member> {
        let checked = self.check(new)?;
        let hash = self.passwords.hash(&new.password, self.context.random()).await?;
        let mut tx = self.db.begin().await?;
        let member = self.insert(&mut tx, checked, Role::Member, Address::Claimed, Some(hash)).await?;
        self.ask_to_confirm(&mut tx, &member, &member.email, Purpose::Verify).await?;
        self.audit.record(&mut tx, origin, &Event::own(Action::Register, member.id)).await?;
        tx.commit().await?;
        self.mail.wake();
        Ok(member)
    }

    /// An account with a role, as the command line makes it; who runs it vouches for the address.
    pub async fn create(&self, new: &NewAccount, role: Role) -> Result<Member> {
        let checked = self.check(new)?;
        let hash = self.passwords.hash(&new.password, self.context.random()).await?;
        let mut tx = self.db.begin().await?;
        let member = self.insert(&mut tx, checked, role, Address::Confirmed, Some(hash)).await?;
        // The command line acts for nobody.
        let event = Event { actor: None, ..Event::own(Action::UserCreate, member.id) };
        self.audit.record(&mut tx, &Origin::default(), &event).await?;
        tx.commit().await?;
        Ok(member)
    }

    /// An account that nobody can sign in to, for made-up content.
    pub async fn create_without_password(&self, username: &str) -> Result<Member> {
        let name = username.to_owned();
        let checked =
            Checked { email: format!("{name}@example.invalid"), username: name.clone(), display_name: name };
        let mut tx = self.db.begin().await?;
        let member = self.insert(&mut tx, checked, Role::Member, Address::Owned, None).await?;
        tx.commit().await?;
        Ok(member)
    }

    /// A fresh set-up token while there is no account yet; earlier ones stop working.
    pub async fn begin_setup(&self) -> Result<Option<String>> {
        if !self.is_empty().await? {
            return Ok(None);
        }
        store::clear_tokens(&self.db, Purpose::Setup).await?;
        self.new_token(Purpose::Setup, SETUP_LIFE).await.map(Some)
    }

    /// Whether the first account is still to be made.
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(store::count(&self.db).await? == 0)
    }

    /// Whether this token would still work.
    pub async fn token_stands(&self, purpose: Purpose, token: &str) -> Result<bool> {
        Ok(store::token_stands(&self.db, purpose, &hash_of(token), self.context.now()).await?)
    }

    /// The account that a token's one use makes: the first admin for set-up, a member for an invitation.
    ///
    /// # Errors
    /// [`Error::LinkOver`] when the token is used or expired, [`Error::Invalid`] at the fields.
    pub async fn redeem(
        &self,
        purpose: Purpose,
        token: &str,
        new: &NewAccount,
        origin: &Origin,
    ) -> Result<Member> {
        if !self.token_stands(purpose, token).await? {
            return Err(Error::LinkOver);
        }
        let checked = self.check(new)?;
        let hash = self.passwords.hash(&new.password, self.context.random()).await?;
        let (role, action, address) = match purpose {
            Purpose::Setup => (Role::Admin, Action::SetUp, Address::Owned),
            _ => (Role::Member, Action::InviteAccept, Address::Claimed),
        };
        let mut tx = self.db.begin().await?;
        if !store::take_token(&mut tx, purpose, &hash_of(token), self.context.now()).await? {
            return Err(Error::LinkOver);
        }
        let member = self.insert(&mut tx, checked, role, address, Some(hash)).await?;
        self.ask_to_confirm(&mut tx, &member, &member.email, Purpose::Verify).await?;
        self.audit.record(&mut tx, origin, &Event::own(action, member.id)).await?;
        tx.commit().await?;
        self.mail.wake();
        Ok(member)
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

    fn check(&self, new: &NewAccount) -> Result<Checked> {
        let mut errors = FieldErrors::default();
        let email = new.email.trim().to_owned();
        let username = key(&new.username);
        let display_name = if new.display_name.trim().is_empty() {
            username.clone()
        } else {
            new.display_name.trim().to_owned()
        };
        let findings = BTreeMap::from([
            ("email", email_problem(&email)),
            ("username", username_problem(&username)),
            ("display_name", display_name_problem(&display_name)),
            ("password", self.passwords.problem(&new.password, &[&email, &username, &display_name])),
        ]);
        for (field, problem) in findings {
            if let Some(problem) = problem {
                errors.add(field, problem);
            }
        }
        errors.or(Checked { email, username, display_name })
    }

    async fn insert(
        &self,
        tx: &mut crate::db::Tx,
        checked: Checked,
        role: Role,
        address: Address,
        password_hash: Option<String>,
    ) -> Result<Member> {
        let member = Member {
            id: self.context.new_id(),
            email: checked.email,
            username: checked.username,
            display_name: checked.display_name,
            role,
            auth_epoch: 0,
            verified: address == Address::Confirmed,
            second_factor: false,
        };
        let taken = store::insert(tx, &member, address, password_hash, self.context.now()).await?;
        if let Some(field) = taken {
            let message = match field {
                "email" => {
                    "There is an account with this address already. Log in instead, or use another address."
                }
                _ => "This username is taken. Choose another one.",
            };
            return Err(Error::field(field, message));
        }
        Ok(member)
    }
}

/// Whoever is no admin finds nothing here.
pub(crate) fn require_admin(viewer: &Viewer) -> Result<()> {
    viewer.signed_in()?;
    if viewer.is_admin() { Ok(()) } else { Err(Error::NotFound) }
}

/// The form by which e-mail addresses and usernames are compared.
pub(crate) fn key(text: &str) -> String {
    text.trim().nfkc().collect::<String>().to_lowercase()
}

fn hash_of(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

fn email_problem(email: &str) -> Option<&'static str> {
    let parts = email.rsplit_once('@');
    let well_formed = parts.is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !local.contains('@')
            && email.parse::<lettre::Address>().is_ok()
    });
    if email.is_empty() {
        Some("Enter your e-mail address.")
    } else if !well_formed || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        Some("This is not an e-mail address. It should look like name@example.org.")
    } else if email.chars().count() > 254 {
        Some("This address is longer than the 254 characters that e-mail allows.")
    } else {
        None
    }
}

fn username_problem(username: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !(2..=32).contains(&username.chars().count()) {
        Some("Choose a username of 2 to 32 characters.")
    } else if !username.chars().all(allowed) {
        Some("A username is made of small letters a to z, digits and hyphens.")
    } else if username.starts_with('-') || username.ends_with('-') {
        Some("A username starts and ends with a letter or digit.")
    } else {
        None
    }
}

fn display_name_problem(name: &str) -> Option<&'static str> {
    if name.chars().count() > 80 {
        Some("Use at most 80 characters for the name to show.")
    } else if name.chars().any(char::is_control) {
        Some("This name contains an invisible control character. Type it again.")
    } else {
        None
    }
}
