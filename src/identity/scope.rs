//! What a token may be used for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Role;
use crate::error::{Error, Result};
use crate::timestamp::Timestamp;

use crate::named::named;

named! {
    #[derive(PartialOrd, Ord, Deserialize, Serialize, ToSchema)]
    pub enum Scope {
        #[serde(rename = "resources:read")]
        ResourcesRead = "resources:read",
        #[serde(rename = "resources:write")]
        ResourcesWrite = "resources:write",
        #[serde(rename = "account:read")]
        AccountRead = "account:read",
        #[serde(rename = "account:write")]
        AccountWrite = "account:write",
        #[serde(rename = "admin:read")]
        AdminRead = "admin:read",
        #[serde(rename = "admin:write")]
        AdminWrite = "admin:write",
    }
}

impl Scope {
    pub const fn help(self) -> &'static str {
        match self {
            Self::ResourcesRead => "Read links, notes and tags",
            Self::ResourcesWrite => "Create, edit, delete and share links and notes",
            Self::AccountRead => "Read your account, devices, tokens and webhooks",
            Self::AccountWrite => "Log out devices, create and revoke tokens, manage webhooks",
            Self::AdminRead => "Read people and the audit trail (admins only)",
            Self::AdminWrite => "Manage accounts (admins only)",
        }
    }

    pub fn field(self) -> String {
        self.as_str().replace(':', "_")
    }

    /// [`Error::UnknownScope`]; [`Error::Invalid`] at `scopes` when there is none.
    pub fn parse_all(names: &[String]) -> Result<Vec<Self>> {
        if names.is_empty() {
            return Err(Error::field("scopes", "Choose at least one thing that it may do."));
        }
        let is_unknown = |name: &&str| Self::parse(name).is_none();
        let unknown: Vec<&str> = names.iter().map(String::as_str).filter(is_unknown).collect();
        if !unknown.is_empty() {
            return Err(Error::UnknownScope(unknown.join(", ")));
        }
        let mut scopes: Vec<Self> = names.iter().filter_map(|name| Self::parse(name)).collect();
        scopes.sort_unstable();
        scopes.dedup();
        Ok(scopes)
    }

    /// `asked`, or all that the role may have. [`Error::Invalid`] at `scopes` when one is for admins only.
    pub fn allowed(asked: Option<Vec<Self>>, role: Role) -> Result<Vec<Self>> {
        let may_have = |scope: &Self| role == Role::Admin || !scope.is_admins();
        let Some(asked) = asked else { return Ok(Self::ALL.into_iter().filter(may_have).collect()) };
        match asked.iter().find(|scope| !may_have(scope)) {
            Some(beyond) => Err(Error::field("scopes", format!("Only admins may have {}.", beyond.as_str()))),
            None => Ok(asked),
        }
    }

    pub const fn is_admins(self) -> bool {
        matches!(self, Self::AdminRead | Self::AdminWrite)
    }

    pub fn join(scopes: &[Self]) -> String {
        scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
    }

    pub fn split(text: &str) -> Vec<Self> {
        text.split_whitespace().filter_map(Self::parse).collect()
    }
}

/// What a token may do, and until when: no token that it makes may do more.
#[derive(Clone, Debug)]
pub struct TokenLimits {
    pub scopes: Vec<Scope>,
    pub until: Timestamp,
}

impl TokenLimits {
    pub fn allow(&self, scopes: &[Scope], until: Timestamp) -> Result<()> {
        if let Some(beyond) = scopes.iter().find(|scope| !self.scopes.contains(scope)) {
            return Err(Error::InsufficientScope(beyond.as_str()));
        }
        if until > self.until {
            return Err(Error::field(
                "days",
                "A token can’t create one that outlives it. Choose fewer days.",
            ));
        }
        Ok(())
    }
}
