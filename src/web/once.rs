//! A secret that is shown on the page after a redirect and never again.
//!
//! It travels in the browser's own cookie, sealed and bound to the person, so that no store holds it and reloading
//! the page neither makes another one nor shows this one again.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::viewer::{Identity, Viewer};
use crate::app::App;
use crate::error::{Error, Result};

const COOKIE: &str = "coffer-once";
/// Seconds until the page that shows it must have been asked for.
const LIFE: i64 = 60;

#[derive(Serialize, Deserialize)]
struct Sealed {
    /// What it is, so that no other page shows it.
    name: String,
    secret: String,
    viewer: Uuid,
    until: i64,
}

/// The secret that the page before has left, if there is one.
pub struct Once(Option<Sealed>);

impl Once {
    #[must_use]
    pub fn secret(self, name: &str) -> Option<String> {
        self.0.filter(|sealed| sealed.name == name).map(|sealed| sealed.secret)
    }
}

/// Leaves a secret for the page that the response leads to.
pub fn keep(app: &App, viewer: &Viewer, response: &mut Response, name: &str, secret: &str) {
    let Some(viewer) = viewer.id() else { return };
    let until = app.context.now().micros() + LIFE * 1_000_000;
    let sealed = Sealed { name: name.to_owned(), secret: secret.to_owned(), viewer, until };
    set(response, &app.once.seal(&sealed), LIFE);
}

/// Takes it back from the browser, once it was shown.
pub fn forget(response: &mut Response) {
    set(response, "", 0);
}

fn set(response: &mut Response, value: &str, max_age: i64) {
    let cookie = format!("{COOKIE}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

impl FromRequestParts<App> for Once {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let viewer = parts.extensions.get::<Identity>().and_then(|identity| identity.viewer.id());
        let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs = cookies.flat_map(|line| line.split(';'));
        let sent = pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='));
        let sealed = sent.and_then(|text| app.once.open::<Sealed>(text).ok());
        let now = app.context.now().micros();
        Ok(Self(sealed.filter(|sealed| Some(sealed.viewer) == viewer && sealed.until > now)))
    }
}
