//! The second factor: codes of an authenticator app, and recovery codes for when it is lost.

mod codes;
mod prove;
mod totp;

use data_encoding::BASE32_NOPAD;
use hmac::Mac as _;
use uuid::Uuid;

use super::Accounts;
use super::change::SessionEffect;
use super::store::factor;
use crate::accounts::actions::{RECOVERY_CODES_MAKE, SECOND_FACTOR_OFF, SECOND_FACTOR_ON};
use crate::audit::Event;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::identity::{Member, RequestMeta};
use crate::keys::retired::RetiredKeys;
use crate::keys::rotation::Rotation;
use crate::keys::{Keys, RECOVERY_CODES, mac};
use crate::mail::Email;
use crate::sealer::Sealer;
use crate::web::forms::encode;

/// 160 bits, as RFC 4226 § 4 recommends.
const SECRET_BYTES: usize = 20;

const PURPOSE: &str = "totp";

/// The keys under which secrets are sealed and recovery codes are hashed.
pub struct FactorKeys {
    totp: Sealer,
    codes: [u8; 32],
    /// Recovery codes outlive a change of the master key.
    retired: RetiredKeys,
}

impl FactorKeys {
    #[must_use]
    pub fn new(keys: &Keys) -> Self {
        Self {
            totp: Sealer::new(keys.derive(PURPOSE)),
            codes: keys.derive(RECOVERY_CODES),
            retired: RetiredKeys::new(keys),
        }
    }

    fn hash(&self, user: Uuid, code: &str) -> Vec<u8> {
        hash(&self.codes, user, code)
    }
}

fn hash(key: &[u8; 32], user: Uuid, code: &str) -> Vec<u8> {
    let mut mac = mac(key);
    mac.update(user.as_bytes());
    mac.update(codes::plain(code).as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Seals the apps' secrets for another master key. Returns how many, and the users whose secret can't be opened any more:
/// their two-step login is switched off.
pub async fn reseal(tx: &mut Tx, rotation: &Rotation<'_>) -> sqlx::Result<(usize, Vec<Uuid>)> {
    let (mut count, mut switched_off) = (0, Vec::new());
    for (user, sealed) in factor::sealed(tx).await? {
        if let Some(sealed) = rotation.reseal(PURPOSE, user.as_bytes(), &sealed) {
            factor::put_sealed(tx, user, &sealed).await?;
            count += 1;
        } else {
            factor::switch_off(tx, user, rotation.context.now()).await?;
            switched_off.push(user);
        }
    }
    Ok((count, switched_off))
}

impl std::fmt::Debug for FactorKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FactorKeys")
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub struct SecondFactorStatus {
    pub on: bool,
    /// Recovery codes that still work.
    pub codes_left: i64,
}

/// A secret that is offered until a code proves it.
#[derive(Clone)]
pub struct Offer {
    pub sealed: Vec<u8>,
    /// In base 32, as apps take it.
    pub key: String,
    pub link: String,
}

/// `codes`: new recovery codes, to be shown once.
pub struct Changed {
    pub member: Member,
    pub codes: Vec<String>,
}

impl Accounts {
    pub async fn second_factor(&self, member: &Member) -> Result<SecondFactorStatus> {
        let factor = factor::read(&self.db, member.id).await?;
        Ok(factor.map_or_else(SecondFactorStatus::default, |factor| SecondFactorStatus {
            on: factor.totp_secret.is_some(),
            codes_left: factor.codes_left,
        }))
    }

    /// Offers the secret `before` again if it can be opened, else a new one.
    pub fn offer(&self, member: &Member, before: Option<&[u8]>) -> Result<Offer> {
        if let Some(offer) = before.and_then(|sealed| self.read_offer(member, sealed)) {
            return Ok(offer);
        }
        let secret: [u8; SECRET_BYTES] = self.context.random();
        let sealed = self.factor_keys.totp.seal(member.id.as_bytes(), &self.context, &secret);
        sealed
            .and_then(|sealed| self.read_offer(member, &sealed))
            .ok_or_else(|| Error::Internal("a secret could not be sealed".into()))
    }

    fn read_offer(&self, member: &Member, sealed: &[u8]) -> Option<Offer> {
        let key = BASE32_NOPAD.encode(&self.factor_keys.totp.open(member.id.as_bytes(), sealed)?);
        let link = link(&self.site, &member.username, &key);
        Some(Offer { sealed: sealed.to_vec(), key, link })
    }

    /// A code must prove that an app has the secret. Sudo mode ends everywhere.
    pub async fn switch_on(
        &self,
        member: &Member,
        offer: &Offer,
        code: &str,
        origin: &RequestMeta,
    ) -> Result<Changed> {
        let now = self.context.now();
        let secret =
            self.factor_keys.totp.open(member.id.as_bytes(), &offer.sealed).ok_or(Error::NotFound)?;
        let step = totp::step_of(&secret, &codes::digits(code), now, None).ok_or_else(|| {
            Error::field("code", "That is not the current code. Check your app again, and make sure your device’s clock is correct.")
        })?;
        let codes = self.fresh_codes();
        let mut change = self.begin_change().await?;
        factor::switch_on(&mut change, member.id, &offer.sealed, step, now).await?;
        factor::put_codes(&mut change, member.id, &self.hashes(member, &codes)).await?;
        let factor_epoch = factor::bump_epoch(&mut change, member.id).await?;
        change.tell(member.id, &self.changed(true)).await?;
        let event = Event::own(SECOND_FACTOR_ON, member.id);
        change.commit(origin, event, SessionEffect::Refresh(member.id)).await?;
        Ok(Changed { member: Member { factor_epoch, second_factor: true, ..member.clone() }, codes })
    }

    /// Sudo mode ends everywhere. `by` is `None` at the command line.
    pub async fn switch_off(
        &self,
        member: &Member,
        by: Option<Uuid>,
        origin: &RequestMeta,
    ) -> Result<Member> {
        let mut change = self.begin_change().await?;
        factor::switch_off(&mut change, member.id, self.context.now()).await?;
        let factor_epoch = factor::bump_epoch(&mut change, member.id).await?;
        change.tell(member.id, &self.changed(false)).await?;
        let event = Event { actor: by, ..Event::own(SECOND_FACTOR_OFF, member.id) };
        change.commit(origin, event, SessionEffect::Refresh(member.id)).await?;
        Ok(Member { factor_epoch, second_factor: false, ..member.clone() })
    }

    /// Ten new codes replace the old ones. Sudo mode ends everywhere.
    pub async fn new_codes(&self, member: &Member, origin: &RequestMeta) -> Result<Changed> {
        if !self.second_factor(member).await?.on {
            return Err(Error::NotFound);
        }
        let codes = self.fresh_codes();
        let mut change = self.begin_change().await?;
        factor::put_codes(&mut change, member.id, &self.hashes(member, &codes)).await?;
        let factor_epoch = factor::bump_epoch(&mut change, member.id).await?;
        let event = Event::own(RECOVERY_CODES_MAKE, member.id);
        change.commit(origin, event, SessionEffect::Refresh(member.id)).await?;
        Ok(Changed { member: Member { factor_epoch, ..member.clone() }, codes })
    }

    fn fresh_codes(&self) -> Vec<String> {
        codes::written(self.context.random())
    }

    fn hashes(&self, member: &Member, codes: &[String]) -> Vec<Vec<u8>> {
        codes.iter().map(|code| self.factor_keys.hash(member.id, code)).collect()
    }

    fn changed(&self, on: bool) -> Email {
        Email::SecondFactorChanged { on, security: self.security_page() }
    }
}

/// `site`: scheme and host.
fn link(site: &str, username: &str, key: &str) -> String {
    let issuer = encode(site.split("://").last().unwrap_or(site));
    let account = encode(username);
    format!(
        "otpauth://totp/{issuer}:{account}?secret={key}&issuer={issuer}&algorithm=SHA1&digits=6&period=30"
    )
}

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn the_link_names_site_and_person() {
        let link = link("http://localhost:3000", "ada", "KEY");
        assert!(link.starts_with("otpauth://totp/localhost%3A3000:ada?secret=KEY&issuer=localhost%3A3000&"));
    }
}
