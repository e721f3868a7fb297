//! An authenticator app, made from what the set-up page shows, by an implementation that is not coffer's.

use coffer::timestamp::Timestamp;
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use super::actor::Actor;
use super::answer::Answer;
use super::app::{App, PASSWORD};

pub const SETUP: &str = "/settings/security/totp";

/// RFC 6238 with SHA-1, six digits, thirty seconds.
pub struct Authenticator(Vec<u8>);

impl Authenticator {
    /// Reads the key from the page.
    pub fn from_page(page: &Answer) -> Self {
        Self::from_key(&page.texts(".totp-key").concat())
    }

    /// The key as a person types it.
    pub fn from_key(key: &str) -> Self {
        let key = key.replace(' ', "");
        Self(BASE32_NOPAD.decode(key.as_bytes()).expect("a key in base 32"))
    }

    /// What it shows at this time.
    pub fn code(&self, at: Timestamp) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).expect("any length will do");
        mac.update(&(at.micros() / 30_000_000).to_be_bytes());
        let tag = mac.finalize().into_bytes();
        let offset = usize::from(tag[19] & 15);
        let number = u32::from_be_bytes(tag[offset..offset + 4].try_into().expect("four bytes"));
        format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
    }
}

impl Actor {
    /// Switches two-step login on; the app, and the recovery codes.
    pub async fn sets_up_second_factor(&self, app: &App) -> (Authenticator, Vec<String>) {
        let page = self.get(SETUP).await.ok();
        let phone = Authenticator::from_page(&page);
        let shown = self.post_form(SETUP, &[("code", &phone.code(app.now()))]).await.ok();
        (phone, shown.texts(".codes code"))
    }

    /// Gives the password, and stands before the second step.
    pub async fn gives_password(&self) {
        let form = [("login", self.name.as_str()), ("password", PASSWORD), ("next", "/tags")];
        self.post_form("/login", &form).await.redirects_to("/login/second-factor");
    }

    pub async fn gives_code(&self, code: &str) -> Answer {
        self.post_form("/login/second-factor", &[("code", code)]).await
    }
}
