//! A secret that is shown on the page after a redirect and never again.
//!
//! It travels in the browser's own cookie, encrypted for the person, so that no store holds it, nobody else reads it
//! and reloading the page neither makes another one nor shows this one again.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::site::cookie;
use super::viewer::{Identity, Viewer};
use crate::app::App;
use crate::error::{Error, Result};

const COOKIE: &str = "coffer-once";
/// Seconds until the page that shows it must have been asked for.
const LIFE: i64 = 60;

#[derive(Serialize, Deserialize)]
struct Kept {
    /// What it is, so that no other page shows it.
    name: String,
    secret: String,
    until: i64,
}

/// The secret that the page before has left, if there is one.
pub struct Once(Option<Kept>);

impl Once {
    #[must_use]
    pub fn secret(self, name: &str) -> Option<String> {
        self.0.filter(|kept| kept.name == name).map(|kept| kept.secret)
    }
}

/// Leaves a secret for the page that the response leads to.
pub fn keep(app: &App, viewer: &Viewer, response: &mut Response, name: &str, secret: &str) {
    let Some(viewer) = viewer.id() else { return };
    let until = app.context.now().micros() + LIFE * 1_000_000;
    let kept = Kept { name: name.to_owned(), secret: secret.to_owned(), until };
    let bytes = serde_json::to_vec(&kept).unwrap_or_default();
    if let Some(sealed) = app.once.seal(viewer.as_bytes(), &app.context, &bytes) {
        set(app, response, &BASE64URL_NOPAD.encode(&sealed), LIFE);
    }
}

/// Takes it back from the browser, once it was shown.
pub fn forget(app: &App, response: &mut Response) {
    set(app, response, "", 0);
}

fn set(app: &App, response: &mut Response, value: &str, max_age: i64) {
    let cookie =
        format!("{}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict", app.site.cookie(COOKIE));
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

impl FromRequestParts<App> for Once {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let viewer = parts.extensions.get::<Identity>().and_then(|identity| identity.viewer.id());
        let kept = viewer.zip(cookie(&parts.headers, &app.site.cookie(COOKIE))).and_then(|(viewer, sent)| {
            let sealed = BASE64URL_NOPAD.decode(sent.as_bytes()).ok()?;
            serde_json::from_slice::<Kept>(&app.once.open(viewer.as_bytes(), &sealed)?).ok()
        });
        Ok(Self(kept.filter(|kept| kept.until > app.context.now().micros())))
    }
}
