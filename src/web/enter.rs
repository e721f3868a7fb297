//! The last gate before the handlers: who is asking, whether they may go on, and that they mean it.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tower_sessions_core::Session;

use super::session::Visit;
use super::viewer::{self, Identity};
use super::{bearer, csrf, required, stay};
use crate::app::App;
use crate::error::Result;
use crate::limiter::headers;
use crate::limiter::layer::{Tree, limit_admin};
use crate::limiter::verdict::Told;

pub async fn enter(app: &App, tree: Tree, visit: &mut Visit, request: Request, next: Next) -> Response {
    match tree {
        Tree::Pages => pages(app, visit, request, next).await,
        Tree::Api => api(app, visit, request, next).await,
    }
}

/// By the session, or by what keeps the device signed in.
async fn pages(app: &App, visit: &mut Visit, mut request: Request, next: Next) -> Response {
    let asked = (request.uri(), request.headers(), request.extensions());
    let (identity, cookie) = match stay::recognise(app, visit, asked).await {
        Ok(found) => found,
        Err(error) => return csrf::give_back(app, error, request).await,
    };
    note(app, visit, &identity);
    viewer::introduce(request.extensions_mut(), identity.clone());
    let mut response = match required::detour(app, &identity.viewer, &request) {
        Some(detour) => detour,
        None => admit(app, (&visit.session, &identity), request, next).await,
    };
    stay::set(cookie, response.headers_mut());
    response
}

/// So that the next request of this session is limited by it alone.
fn note(app: &App, visit: &Visit, identity: &Identity) {
    let Some(named) = visit.named else { return };
    if visit.session.id() == Some(named) {
        app.known.note_session(named, identity);
    } else {
        app.known.forget_session(named);
    }
}

async fn admit(app: &App, who: (&Session, &Identity), request: Request, next: Next) -> Response {
    let told = match limit_admin(app, who.1, request.uri().path()).await {
        Ok(told) => told,
        Err(error) => return csrf::give_back(app, error, request).await,
    };
    let mut response = if request.method().is_safe() {
        next.run(request).await
    } else {
        csrf::guard_pages(app, who, request, next).await
    };
    headers::tell(told.into_iter(), response.headers_mut());
    response
}

/// By a bearer token, or by the session.
async fn api(app: &App, visit: &mut Visit, mut request: Request, next: Next) -> Response {
    match check_api(app, visit, &mut request).await {
        Ok(told) => {
            let mut response = next.run(request).await;
            headers::tell(told.into_iter(), response.headers_mut());
            response
        }
        Err(error) => error.into_response(),
    }
}

async fn check_api(app: &App, visit: &mut Visit, request: &mut Request) -> Result<Vec<Told>> {
    let identity = bearer::identify(app, visit, request).await?;
    note(app, visit, &identity);
    required::check(app, &identity.viewer)?;
    csrf::check_api(app, &identity, request)?;
    limit_admin(app, &identity, request.uri().path()).await
}
