//! A user's own data: its export, and the deletion of the account.

mod store;

use serde_json::{Value, json};

use super::Accounts;
use super::change::SessionEffect;
use super::people::leaves_office;
use crate::accounts::actions::{ACCOUNT_DELETE, DATA_EXPORT};
use crate::audit::Event;
use crate::cache::Scope;
use crate::error::{Error, Result};
use crate::identity::{RequestMeta, Role, Viewer};

impl Accounts {
    /// The account's data without passwords and secrets.
    pub async fn own_data(&self, viewer: &Viewer, origin: &RequestMeta) -> Result<Value> {
        let member = viewer.signed_in()?;
        self.note(origin, &Event::own(DATA_EXPORT, member.id)).await?;
        let facts = store::milestones(&self.db, member.id).await?.ok_or(Error::NotFound)?;
        Ok(json!({
            "id": member.id,
            "username": member.username,
            "display_name": member.display_name,
            "email": member.email,
            "email_verified_at": facts.verified,
            "role": member.role.as_str(),
            "created_at": facts.created,
            "updated_at": facts.updated,
        }))
    }

    /// Deletes the viewer's account with all its data, if `typed` is the username. The audit log keeps the event.
    pub async fn delete_own(&self, viewer: &Viewer, typed: &str, origin: &RequestMeta) -> Result<()> {
        let member = viewer.signed_in()?;
        if super::key(typed) != member.username {
            return Err(Error::field("username", "Type your username exactly as shown above."));
        }
        let mut change = self.begin_cached_change().await?;
        change.end_sessions(member.id).await?;
        store::delete(&mut change, member.id).await?;
        let events = [Event::own(ACCOUNT_DELETE, member.id)];
        let mut change = change.record(origin, &events, SessionEffect::Keep).await?;
        if member.role == Role::Admin {
            leaves_office(&mut change, member.id).await?;
        }
        change.commit([Scope::All]).await
    }
}
