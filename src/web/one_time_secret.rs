//! A secret that is shown on the page after a redirect and never again. The browser's own cookie carries it, sealed for
//! the user: no store holds it, and reloading the page does not show it again.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::cookies::{self, Life, Name};
use super::deps::WebDeps;
use crate::error::{Error, Result};
use crate::identity::{Identity, Viewer};

/// Until the page that shows it must have been asked for.
const LIFE: Duration = Duration::from_mins(1);

#[derive(Serialize, Deserialize)]
struct Sealed {
    /// So that no other page shows it.
    name: String,
    secret: String,
    until: i64,
}

pub struct OneTimeSecret(Option<Sealed>);

impl OneTimeSecret {
    #[must_use]
    pub fn take(self, name: &str) -> Option<String> {
        self.0.filter(|kept| kept.name == name).map(|kept| kept.secret)
    }
}

pub fn keep(deps: &WebDeps, viewer: &Viewer, response: &mut Response, name: &str, secret: &str) {
    let Some(viewer) = viewer.id() else { return };
    let until = deps.system.now().plus(LIFE).micros();
    let kept = Sealed { name: name.to_owned(), secret: secret.to_owned(), until };
    let bytes = serde_json::to_vec(&kept).unwrap_or_default();
    if let Some(sealed) = deps.once.seal(viewer.as_bytes(), &deps.system, &bytes) {
        let cookie = cookies::new(Name::OneTimeSecret, &BASE64URL_NOPAD.encode(&sealed), Life::For(LIFE));
        cookies::add(response.headers_mut(), [cookie]);
    }
}

/// Takes it back from the browser, once it was shown.
pub fn forget(response: &mut Response) {
    cookies::add(response.headers_mut(), [cookies::removal(Name::OneTimeSecret)]);
}

impl<S> FromRequestParts<S> for OneTimeSecret
where
    Arc<WebDeps>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let deps = Arc::<WebDeps>::from_ref(state);
        let viewer = parts.extensions.get::<Identity>().and_then(|identity| identity.viewer.id());
        let read = |sent: &str| {
            let sealed = BASE64URL_NOPAD.decode(sent.as_bytes()).ok()?;
            serde_json::from_slice::<Sealed>(&deps.once.open(viewer?.as_bytes(), &sealed)?).ok()
        };
        let kept = cookies::find(&deps.public_url, &parts.headers, Name::OneTimeSecret, read);
        Ok(Self(kept.filter(|kept| kept.until > deps.system.now().micros())))
    }
}
