//! A browser's session: named by its cookie, read when somebody asks for it, written when it was changed.

use std::pin::pin;

use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use futures_util::future::FutureExt as _;
use tower_sessions_core::session::Id;
use tower_sessions_core::{Expiry, Session};

use super::cookies::{self, Life, Name};
use super::viewer::{self, Standing};
use crate::app::App;
use crate::error::Error;
use crate::sessions::data::Data;

/// One request of a session, which is empty until somebody signs in.
pub struct Visit {
    pub session: Session,
    /// What its copy said, when somebody has looked.
    pub standing: Option<Standing>,
    /// The id that the cookie names, whether or not there is such a session.
    pub named: Option<Id>,
    has_cookie: bool,
}

impl Visit {
    /// An id that is none of ours is no id.
    #[must_use]
    pub fn of(app: &App, headers: &HeaderMap) -> Self {
        let mut has_cookie = false;
        let id = cookies::find(&app.site, headers, Name::Session, |sent| {
            has_cookie = true;
            sent.parse::<Id>().ok()
        });
        let idle = time::Duration::try_from(app.config.session_idle()).unwrap_or(time::Duration::WEEK);
        let session = Session::new(id, app.session_store.clone(), Some(Expiry::OnInactivity(idle)));
        Self { session, standing: None, named: id, has_cookie }
    }

    /// Looks at the copy while something else is waited for: both are asked of Redis in one round trip.
    pub async fn meanwhile<T>(&mut self, app: &App, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        // Whoever need not wait, such as a client that is refused, gets no look.
        if let Some(other) = (&mut other).now_or_never() {
            return other;
        }
        let Some(id) = self.named else { return other.await };
        let (other, standing) = tokio::join!(other, app.sessions.copy(id));
        self.standing = standing;
        other
    }

    /// Keeps what was changed, unless the request failed, and tells the browser.
    pub async fn end(self, app: &App, mut response: Response) -> Response {
        if self.session.is_empty().await {
            if let Some(named) = self.named {
                app.known.forget_session(named);
            }
            if self.has_cookie {
                cookies::add(response.headers_mut(), [cookies::removal(Name::Session)]);
            }
            return response;
        }
        if !self.session.is_modified() || response.status().is_server_error() {
            return response;
        }
        if let Err(error) = self.session.save().await {
            return Error::from(error).into_response();
        }
        let life = self.life(app).await;
        if let Some(id) = self.session.id() {
            become_known(app, id).await;
            cookies::add(response.headers_mut(), [cookies::new(Name::Session, &id.to_string(), life)]);
        }
        response
    }

    /// Unless the device is kept signed in, the cookie ends with the browser, earlier than the session.
    async fn life(&self, app: &App) -> Life {
        let login = Data::of(&self.session).await.ok().and_then(|data| data.login);
        if login.and_then(|login| login.family).is_none() {
            return Life::Browser;
        }
        let left = self.session.expiry_date() - app.context.now().datetime();
        Life::For(std::time::Duration::try_from(left).unwrap_or_default())
    }
}

/// A session that has just begun is limited as one from its first request on. In a box, as it is rare.
async fn become_known(app: &App, id: Id) {
    if app.known.session(id).is_some() {
        return;
    }
    let begun = Session::new(Some(id), app.session_store.clone(), None);
    if let Ok(identity) = Box::pin(viewer::read(app, &begun, None, false)).await {
        app.known.note_session(id, &identity);
    }
}
