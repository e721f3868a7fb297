//! An event of the audit log, with the names of those it is about.

use data_encoding::HEXLOWER;
use uuid::Uuid;

use super::action::ACCOUNT;
use crate::timestamp::Timestamp;

/// Hex digits of a UUID on pages.
const SHORT_ID: usize = 8;

#[derive(Clone, Debug)]
pub struct NamedEvent {
    pub seq: i64,
    pub at: Timestamp,
    pub actor: Option<EventActor>,
    pub target: String,
    /// The username, if the target is a user.
    pub target_name: Option<String>,
    /// `API token`; empty if this version does not know the action.
    pub target_noun: &'static str,
    pub action: String,
    /// In plain words, or the action's name if this version does not know it.
    pub description: String,
    pub outcome: String,
    pub network: Option<Vec<u8>>,
    pub request_id: String,
}

#[derive(Clone, Debug)]
pub struct EventActor {
    pub id: Uuid,
    /// `None` once the account is deleted.
    pub username: Option<String>,
}

impl NamedEvent {
    /// The first digits of the network's hash, enough to tell networks apart.
    pub fn network_hex(&self) -> String {
        let hash = self.network.as_deref().unwrap_or_default();
        HEXLOWER.encode(&hash[..hash.len().min(6)])
    }

    pub fn is_own(&self) -> bool {
        self.actor.as_ref().is_some_and(|who| who.id.to_string() == self.target)
    }

    pub fn has_short_target(&self) -> bool {
        self.short_target() != self.target
    }

    /// The end of the target's id: ids of the same minute begin alike.
    pub fn short_target(&self) -> &str {
        short_id(&self.target)
    }

    /// What the target is. An account without a name is gone.
    pub fn noun(&self) -> &str {
        if self.target_noun == ACCOUNT { "deleted account" } else { self.target_noun }
    }
}

impl EventActor {
    pub fn short_id(&self) -> String {
        short_id(&self.id.to_string()).to_owned()
    }
}

fn short_id(id: &str) -> &str {
    if id.parse::<Uuid>().is_ok() { &id[id.len() - SHORT_ID..] } else { id }
}
