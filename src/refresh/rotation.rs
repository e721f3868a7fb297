//! A refresh token is exchanged for the next one of its family.

use std::time::Duration;

use super::{Grant, Kind, Refresh, hash, store};
use crate::accounts::change::SessionEffect;
use crate::audit::{Action, Event, Outcome};
use crate::db::Tx;
use crate::error::Result;
use crate::identity::{Member, RequestMeta};
use crate::mail::Email;
use crate::telemetry::metrics::Method;
use crate::tokens::format::Prefix;

pub const REFRESH_REUSED: Action =
    Action::new("refresh.reused", "A login token was used twice, so the device was logged out")
        .with_target("device");

impl Kind {
    /// For this long a used token gets the same child again, for parallel tabs or a program that lost the answer.
    const fn grace(self) -> Duration {
        match self {
            Self::Browser => Duration::from_secs(10),
            Self::Api => Duration::from_mins(1),
        }
    }
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

impl Refresh {
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
        let child = self.key.child(token);
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
}
