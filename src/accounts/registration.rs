//! How accounts are made: by registering, by a link, by the command line.

use std::collections::BTreeMap;

use super::change::SessionEffect;
use super::fields::{display_name_problem, email_problem};

use super::store::{self, Address};
use super::{Accounts, Purpose, hash_of};
use crate::accounts::actions::{INVITE_ACCEPT, REGISTER, SET_UP, USER_CREATE};
use crate::audit::Event;
use crate::db::Tx;
use crate::error::{Error, FieldErrors, Result};
use crate::identity::{Member, RequestMeta, Role};
use crate::names::{key, username_problem};

#[derive(Clone, Default)]
pub struct NewAccount {
    pub email: String,
    pub username: String,
    /// Empty: the username is shown.
    pub display_name: String,
    pub password: String,
}

/// A [`NewAccount`] that keeps every rule.
struct Checked {
    email: String,
    username: String,
    display_name: String,
}

impl Accounts {
    /// The address becomes the account's once its confirmation link is opened. Until then nothing tells whether it is
    /// another account's.
    pub async fn register(&self, new: &NewAccount, origin: &RequestMeta) -> Result<Member> {
        let checked = self.check(new)?;
        self.limiter.register(origin.address.0, &key(&checked.email)).await?;
        let hash = self.passwords.hash(&new.password, self.context.random()).await?;
        let mut change = self.begin_change().await?;
        let member = self.insert(&mut change, checked, Role::Member, Address::Claimed, Some(hash)).await?;
        self.ask_to_confirm(&mut change, &member, &member.email, Purpose::Verify).await?;
        change.commit(origin, Event::own(REGISTER, member.id), SessionEffect::Keep).await?;
        Ok(member)
    }

    /// For the command line, whose operator vouches for the address.
    pub async fn create(&self, new: &NewAccount, role: Role) -> Result<Member> {
        let checked = self.check(new)?;
        let hash = self.passwords.hash(&new.password, self.context.random()).await?;
        let mut change = self.begin_change().await?;
        let member = self.insert(&mut change, checked, role, Address::Confirmed, Some(hash)).await?;
        // The command line has no actor.
        let event = Event { actor: None, ..Event::own(USER_CREATE, member.id) };
        change.commit(&RequestMeta::default(), event, SessionEffect::Keep).await?;
        Ok(member)
    }

    /// For made-up content.
    pub async fn create_without_password(&self, username: &str) -> Result<Member> {
        let name = username.to_owned();
        let checked =
            Checked { email: format!("{name}@example.invalid"), username: name.clone(), display_name: name };
        let mut tx = self.db.begin().await?;
        let member = self.insert(&mut tx, checked, Role::Member, Address::Owned, None).await?;
        tx.commit().await?;
        Ok(member)
    }

    /// Uses the token up: a setup token makes the first admin, an invitation a member.
    pub async fn redeem(
        &self,
        purpose: Purpose,
        token: &str,
        new: &NewAccount,
        origin: &RequestMeta,
    ) -> Result<Member> {
        if !self.token_stands(purpose, token).await? {
            return Err(Error::LinkOver);
        }
        let checked = self.check(new)?;
        if purpose == Purpose::Invite {
            self.limiter.register(origin.address.0, &key(&checked.email)).await?;
        }
        let hash = self.passwords.hash(&new.password, self.context.random()).await?;
        let (role, action, address) = match purpose {
            Purpose::Setup => (Role::Admin, SET_UP, Address::Owned),
            _ => (Role::Member, INVITE_ACCEPT, Address::Claimed),
        };
        let mut change = self.begin_change().await?;
        if !store::take_token(&mut change, purpose, &hash_of(token), self.context.now()).await? {
            return Err(Error::LinkOver);
        }
        let member = self.insert(&mut change, checked, role, address, Some(hash)).await?;
        self.ask_to_confirm(&mut change, &member, &member.email, Purpose::Verify).await?;
        change.commit(origin, Event::own(action, member.id), SessionEffect::Keep).await?;
        Ok(member)
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
        tx: &mut Tx,
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
            factor_epoch: 0,
            verified: address == Address::Confirmed,
            second_factor: false,
        };
        let taken = store::insert(tx, &member, address, password_hash, self.context.now()).await?;
        if let Some(field) = taken {
            let message = match field {
                "email" => {
                    "An account with this email already exists. Log in instead, or use a different email."
                }
                _ => "This username is taken. Choose a different one.",
            };
            return Err(Error::field(field, message));
        }
        Ok(member)
    }
}
