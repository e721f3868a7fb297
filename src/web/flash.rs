//! What just happened, shown once on the next page; a sealed cookie carries the words there.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::cookies::{self, Life, Name};
use super::deps::WebDeps;
use crate::sealer::Sealer;
use crate::system::System;

/// Until the next page must have been asked for.
const LIFE: Duration = Duration::from_secs(30);
const PLACE: &[u8] = b"flash";

/// Each page declares its own: `const SAVED: Flash = Flash::ok("saved", "Saved.");`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// `ok` or `error`.
    pub kind: Cow<'static, str>,
    pub name: Cow<'static, str>,
    pub text: Cow<'static, str>,
    pub offer: Option<Offer>,
}

/// What can be done about it at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub href: String,
    pub label: Cow<'static, str>,
    /// A page to open, not a change to send.
    pub is_link: bool,
}

impl Offer {
    pub const fn change(href: String, label: &'static str) -> Self {
        Self { href, label: Cow::Borrowed(label), is_link: false }
    }

    pub const fn page(href: String, label: &'static str) -> Self {
        Self { href, label: Cow::Borrowed(label), is_link: true }
    }
}

impl Flash {
    pub const fn ok(name: &'static str, text: &'static str) -> Self {
        Self::new("ok", name, text)
    }

    pub const fn error(name: &'static str, text: &'static str) -> Self {
        Self::new("error", name, text)
    }

    const fn new(kind: &'static str, name: &'static str, text: &'static str) -> Self {
        let (kind, name, text) = (Cow::Borrowed(kind), Cow::Borrowed(name), Cow::Borrowed(text));
        Self { kind, name, text, offer: None }
    }

    #[must_use]
    pub fn with_offer(self, offer: Offer) -> Self {
        Self { offer: Some(offer), ..self }
    }

    #[must_use]
    pub fn from_cookie(deps: &WebDeps, headers: &HeaderMap) -> Option<Self> {
        cookies::find(&deps.public_url, headers, Name::Flash, |sent| Self::open(&deps.once, sent))
    }

    /// Leaves it for the page that the response leads to; [`send`] makes the cookie.
    pub fn keep(self, response: &mut Response) {
        response.extensions_mut().insert(self);
    }

    /// Takes it back from the browser, once it was shown.
    pub fn forget(response: &mut Response) {
        cookies::add(response.headers_mut(), [cookies::removal(Name::Flash)]);
    }

    fn seal(&self, sealer: &Sealer, system: &System) -> Option<String> {
        let cookie = sealer.seal(PLACE, system, &postcard::to_stdvec(self).ok()?)?;
        Some(BASE64URL_NOPAD.encode(&cookie))
    }

    fn open(sealer: &Sealer, sent: &str) -> Option<Self> {
        let cookie = BASE64URL_NOPAD.decode(sent.as_bytes()).ok()?;
        postcard::from_bytes(&sealer.open(PLACE, &cookie)?).ok()
    }
}

pub fn send(deps: &WebDeps, response: &mut Response) {
    if let Some(flash) = response.extensions_mut().remove::<Flash>()
        && let Some(sealed) = flash.seal(&deps.once, &deps.system)
    {
        cookies::add(response.headers_mut(), [cookies::new(Name::Flash, &sealed, Life::For(LIFE))]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flash_survives_its_cookie_and_no_other_is_believed() {
        let (ours, theirs) = (Sealer::new([1; 32]), Sealer::new([2; 32]));
        let flash = Flash::ok("saved", "Saved.").with_offer(Offer::page("/resources/1".to_owned(), "Open"));
        let cookie = flash.seal(&ours, &System::real()).unwrap();
        assert_eq!(Flash::open(&ours, &cookie), Some(flash.clone()));
        assert_eq!(Flash::open(&theirs, &cookie), None);
        for forged in ["", "saved", "<script>", "c2F2ZWQ"] {
            assert_eq!(Flash::open(&ours, forged), None, "{forged}");
        }
    }
}
