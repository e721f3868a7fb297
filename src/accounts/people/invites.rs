//! Invitations: made, listed and withdrawn by admins.

use std::time::Duration;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use uuid::Uuid;

use super::{By, UserAdmin, store};
use crate::accounts::actions::{INVITE_CREATE, INVITE_WITHDRAW};
use crate::accounts::change::SessionEffect;
use crate::accounts::hash_of;
use crate::audit::{Action, Event, Outcome};
use crate::error::{Error, Result};
use crate::identity::{RequestMeta, Viewer};
use crate::timestamp::Timestamp;

pub const INVITE_LIFE: Duration = Duration::from_hours(7 * 24);

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Invite {
    token_hash: Vec<u8>,
    /// `None` once the maker's account is gone, and for one made on the command line.
    pub maker: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Invite {
    /// What the list calls it; the link can't be made from it.
    #[must_use]
    pub fn name(&self) -> String {
        BASE64URL_NOPAD.encode(&self.token_hash)
    }
}

impl UserAdmin {
    /// Returns the token of a new invitation.
    pub async fn invite(&self, by: By<'_>, origin: &RequestMeta) -> Result<String> {
        let maker = by.actor()?;
        let (token, now) = (BASE64URL_NOPAD.encode(&self.context.random::<32>()), self.context.now());
        let hash = hash_of(&token);
        let mut tx = self.accounts.begin_change().await?;
        store::put_invite(&mut tx, maker, &hash, now, now.plus(INVITE_LIFE)).await?;
        tx.commit(origin, event(INVITE_CREATE, maker, &hash), SessionEffect::Keep).await?;
        Ok(token)
    }

    pub async fn invites(&self, viewer: &Viewer) -> Result<Vec<Invite>> {
        viewer.require_admin()?;
        Ok(store::invites(&self.db, self.context.now()).await?)
    }

    pub async fn withdraw(&self, viewer: &Viewer, name: &str, origin: &RequestMeta) -> Result<()> {
        viewer.require_admin()?;
        let hash = BASE64URL_NOPAD.decode(name.as_bytes()).map_err(|_| Error::NotFound)?;
        let mut tx = self.accounts.begin_change().await?;
        if !store::delete_invite(&mut tx, &hash).await? {
            return Err(Error::LinkOver);
        }
        tx.commit(origin, event(INVITE_WITHDRAW, viewer.id(), &hash), SessionEffect::Keep).await
    }
}

fn event(action: Action, actor: Option<Uuid>, hash: &[u8]) -> Event {
    let target = HEXLOWER.encode(&hash[..hash.len().min(6)]);
    Event { action, actor, target, outcome: Outcome::Done }
}
