//! A browser's session: named by its cookie, read when somebody asks for it, written when it was changed.

use std::pin::pin;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::future::FutureExt as _;
use tower_sessions_core::session::Id;
use tower_sessions_core::{Expiry, Session};

use super::site;
use super::stay::cookie;
use super::viewer::Standing;
use crate::app::App;
use crate::error::Error;

/// One request of a session, which is empty until somebody signs in.
pub struct Visit {
    pub session: Session,
    /// What its copy said, when somebody has looked.
    pub standing: Option<Standing>,
    has_cookie: bool,
}

impl Visit {
    /// An id that is none of ours is no id.
    #[must_use]
    pub fn of(app: &App, headers: &HeaderMap) -> Self {
        let cookie = site::cookie(headers, app.site.session_cookie());
        let id = cookie.and_then(|id| id.parse::<Id>().ok());
        let idle = time::Duration::try_from(app.config.session_idle()).unwrap_or(time::Duration::WEEK);
        let session = Session::new(id, app.session_store.clone(), Some(Expiry::OnInactivity(idle)));
        Self { session, standing: None, has_cookie: cookie.is_some() }
    }

    /// Looks at the copy while something else is waited for: both are asked of Redis in one round trip.
    pub async fn meanwhile<T>(&mut self, app: &App, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        // Whoever need not wait, such as a client that is refused, gets no look.
        if let Some(other) = (&mut other).now_or_never() {
            return other;
        }
        let Some(id) = self.session.id() else { return other.await };
        let (other, standing) = tokio::join!(other, app.sessions.copy(id));
        self.standing = standing;
        other
    }

    /// Keeps what was changed, unless the request failed, and tells the browser.
    pub async fn end(self, app: &App, mut response: Response) -> Response {
        let name = app.site.session_cookie();
        if self.session.is_empty().await {
            if self.has_cookie {
                set(&mut response, cookie(name, "", std::time::Duration::ZERO));
            }
            return response;
        }
        if !self.session.is_modified() || response.status().is_server_error() {
            return response;
        }
        if let Err(error) = self.session.save().await {
            return Error::from(error).into_response();
        }
        let life = self.session.expiry_date() - app.context.now().datetime();
        let life = std::time::Duration::try_from(life).unwrap_or_default();
        if let Some(id) = self.session.id() {
            set(&mut response, cookie(name, &id.to_string(), life));
        }
        response
    }
}

fn set(response: &mut Response, cookie: HeaderValue) {
    response.headers_mut().append(header::SET_COOKIE, cookie);
}
