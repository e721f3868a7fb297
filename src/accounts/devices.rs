//! Devices that users log in from: a new one is reported to them, and failed attempts elsewhere don't block a known one.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::Accounts;
use super::store::{devices, personal};
use crate::audit::Event;
use crate::error::Result;
use crate::identity::{BrowserId, Member, RequestMeta};
use crate::mail::Email;

/// A device that was not used for this long is new again.
const MEMORY: Duration = Duration::from_hours(180 * 24);

impl Accounts {
    /// Emails a member who logs in from a new place, except at the first login. `browser` is known from now on. Call it
    /// when the login is complete, second factor included; it records `event`, unless another change has.
    pub async fn recognise(
        &self,
        member: &Member,
        browser: BrowserId,
        event: Option<Event>,
        origin: &RequestMeta,
    ) -> Result<()> {
        let (place, now) = (place(origin), self.context.now());
        let mut tx = self.audit.begin(&self.db).await?;
        let (this, any) = devices::known(&mut tx, member.id, &place).await?;
        devices::remember(&mut tx, member.id, [&place, &browser], now).await?;
        let is_new = any && !this;
        if is_new {
            let browser = match origin.browser.as_str() {
                "" => "an unknown browser".to_owned(),
                named => named.to_owned(),
            };
            let letter = Email::NewDevice { browser, sessions: format!("{}/settings/sessions", self.site) };
            self.tell(&mut tx, member.id, &letter).await?;
        }
        tx.commit(origin, event.as_slice()).await?;
        if is_new {
            self.mail.wake();
        }
        Ok(())
    }

    pub async fn forget_what_is_over(&self) -> Result<()> {
        let now = self.context.now();
        personal::delete_expired(&self.db, now).await?;
        Ok(devices::forget(&self.db, now.minus(MEMORY)).await?)
    }
}

/// The browser family and the keyed hash of the network, together.
fn place(origin: &RequestMeta) -> Vec<u8> {
    let network = origin.network.unwrap_or_default();
    let digest = Sha256::new().chain_update(network).chain_update(origin.browser.as_bytes()).finalize();
    digest[..16].to_vec()
}
