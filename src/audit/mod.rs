//! The audit log: who did what to which account. Append-only, and chained by hashes.
//!
//! Each event's hash is an HMAC over its fields and the hash before it, so the key's owner finds a changed, removed
//! or reordered row. `audit_head` holds the last hash, which also shows that the end was cut off. An event is written
//! in the transaction of the change that it records.

pub mod action;
pub mod api;
pub mod change;
mod csv;
pub mod lines;
mod named_event;
pub mod pages;
mod query;
pub mod reader;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;
pub mod verify;

use std::sync::Arc;

use hmac::Mac as _;
use uuid::Uuid;

pub use self::action::Action;
pub use self::change::AuditedTx;
use crate::db::Tx;
use crate::identity::RequestMeta;
use crate::keys::retired::RetiredKeys;
use crate::keys::{AUDIT, KeyId, Keys, mac};
use crate::named::named;
use crate::system::System;
use crate::telemetry::metrics::{Method, Metrics};
use crate::timestamp::Timestamp;

named! {
    pub enum Outcome {
        Done = "done",
        Refused = "refused",
    }
}

#[derive(Clone, Debug)]
pub struct Event {
    pub action: Action,
    /// `None` for failed log-ins and the command line.
    pub actor: Option<Uuid>,
    /// The id of a user, session or token, or empty. Never an address or a typed name.
    pub target: String,
    pub outcome: Outcome,
}

impl Event {
    /// An event in which the actor is also the target.
    pub fn own(action: Action, actor: Uuid) -> Self {
        Self { action, actor: Some(actor), target: actor.to_string(), outcome: Outcome::Done }
    }
}

#[derive(Clone)]
pub struct AuditLog {
    context: System,
    key: [u8; 32],
    key_id: KeyId,
    retired: RetiredKeys,
    metrics: Metrics,
    actions: Arc<[Action]>,
}

impl AuditLog {
    /// `actions`: all that can be recorded.
    pub fn new(context: System, keys: &Keys, metrics: &Metrics, actions: &[Action]) -> Self {
        let outcomes = [Outcome::Done.as_str(), Outcome::Refused.as_str()];
        metrics.accounts.declare_audit(actions.iter().map(|action| action.as_str()), &outcomes);
        Self {
            context,
            key: keys.derive(AUDIT),
            key_id: keys.id(),
            retired: RetiredKeys::new(keys),
            metrics: metrics.clone(),
            actions: actions.into(),
        }
    }

    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    pub fn action(&self, name: &str) -> Option<Action> {
        self.actions.iter().copied().find(|action| action.as_str() == name)
    }

    pub fn attempted(&self, method: Method, success: bool) {
        self.metrics.accounts.attempt(method, success);
    }

    pub fn limited(&self, method: Method) {
        self.metrics.accounts.attempt_limited(method);
    }

    /// Appends the event. Call it last before the commit, because other writers wait from here on.
    pub async fn record(&self, tx: &mut Tx, origin: &RequestMeta, event: &Event) -> sqlx::Result<()> {
        let next = store::advance(tx, self.key_id.as_bytes()).await?;
        let store::Head { seq, hash: previous } = next.ok_or_else(|| {
            sqlx::Error::Configuration(
                "the database belongs to another COFFER_SECRET_KEY since this node started".into(),
            )
        })?;
        let mut row = store::Row {
            seq,
            at: self.context.now(),
            actor_id: event.actor,
            action: event.action.as_str().to_owned(),
            target: event.target.clone(),
            outcome: event.outcome.as_str().to_owned(),
            network: origin.network.map(|network| network.to_vec()),
            request_id: origin.request_id.clone(),
            previous,
            hash: Vec::new(),
        };
        row.hash = hash(&self.key, &row);
        self.metrics.accounts.audited(&row.action, &row.outcome);
        store::append(tx, &row).await
    }
}

impl std::fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuditLog")
    }
}

fn at(time: Timestamp) -> [u8; 8] {
    time.micros().to_be_bytes()
}

/// Each field follows its length, so that no two events have the same input.
fn hash(key: &[u8; 32], row: &store::Row) -> Vec<u8> {
    let mut mac = mac(key);
    let actor = row.actor_id.map(|id| id.into_bytes().to_vec()).unwrap_or_default();
    let fields: [&[u8]; 9] = [
        &row.previous,
        &row.seq.to_be_bytes(),
        &at(row.at),
        &actor,
        row.action.as_bytes(),
        row.target.as_bytes(),
        row.outcome.as_bytes(),
        row.network.as_deref().unwrap_or_default(),
        row.request_id.as_bytes(),
    ];
    for field in fields {
        mac.update(&(field.len() as u64).to_be_bytes());
        mac.update(field);
    }
    mac.finalize().into_bytes().to_vec()
}
