//! Bearer tokens on the JSON tree. A token alone says who asks: no session is read.

use std::sync::Arc;

use axum::extract::Request;

use super::session::{self, RequestSession};
use super::{Auth, require_second_factor};
use crate::error::{Error, Result};
use crate::identity::{Identity, TokenLimits, Viewer, set_identity};
use crate::telemetry::metrics::Method;
use crate::tokens::format::Prefix;
use crate::web::scoped::{Bearer, token_of};

/// By the bearer token, or else by the session. Fails when the token is unknown or over.
pub async fn identify(auth: &Auth, here: &mut RequestSession, request: &mut Request) -> Result<Identity> {
    if let Some(token) = token_of(request.headers()) {
        let token = std::str::from_utf8(token).map_err(|_| Error::BadToken)?;
        let bearer = known(auth, token).await;
        match &bearer {
            Ok(_) => auth.known.note_token(token),
            Err(Error::BadToken | Error::TokenExpired | Error::TokenRevoked) => {
                auth.known.forget_token(token);
            }
            // The token could not be checked.
            Err(_) => {}
        }
        let bearer = bearer?;
        require_second_factor::check(auth, &bearer.viewer)?;
        request.extensions_mut().insert(bearer);
        return Ok(Identity::default());
    }
    let identity = session::identify(auth, here, true).await?;
    set_identity(request.extensions_mut(), identity.clone());
    Ok(identity)
}

async fn known(auth: &Auth, token: &str) -> Result<Bearer> {
    if !Prefix::Access.fits(token) {
        let known = auth.tokens.known(token).await;
        auth.audit.attempted(Method::ApiToken, known.is_ok());
        let known = known?;
        let limits = TokenLimits { scopes: known.scopes(), until: known.expires_at };
        let viewer = Viewer::Member(Arc::new(known.member));
        return Ok(Bearer { viewer, limits, family: None });
    }
    let access = auth.refresh.access(token).await?.ok_or(Error::BadToken)?;
    if access.is_revoked {
        return Err(Error::TokenRevoked);
    }
    if access.expires_at <= auth.deps.system.now() {
        return Err(Error::TokenExpired);
    }
    let viewer = Viewer::Member(Arc::new(access.member));
    let limits = TokenLimits { scopes: access.scopes, until: access.family_until };
    Ok(Bearer { viewer, limits, family: Some(access.family) })
}
