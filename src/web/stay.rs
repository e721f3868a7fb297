//! The cookie of a device that is kept signed in, and the session that it begins when the old one is over.

use axum::http::{Extensions, HeaderMap, HeaderValue, Uri, header};
use tower_sessions_core::Session;

use super::origin::Origin;
use super::session::Visit;
use super::viewer::{self, Identity};
use super::{device, site, sudo};
use crate::accounts::Member;
use crate::admin::pages::LIVE;
use crate::app::App;
use crate::error::Result;
use crate::refresh::{Kind, Rotated};

/// Whom the session knows, else whose device this is that is kept signed in; then with the cookie to be set.
///
/// # Errors
/// Sessions can't be had just now.
pub async fn recognise(
    app: &App,
    Visit { session, standing, .. }: &mut Visit,
    (uri, headers, extensions): (&Uri, &HeaderMap, &Extensions),
) -> Result<(Identity, Option<HeaderValue>)> {
    // Looking at figures that renew themselves keeps nobody signed in.
    let slides = uri.path() != LIVE;
    let identity = viewer::read(app, session, standing.take(), slides).await?;
    if identity.viewer.member().is_some() {
        return Ok((identity, None));
    }
    let Some(token) = site::cookie(headers, &name(app)) else { return Ok((identity, None)) };
    let origin = Origin::of(app, headers, extensions);
    let Rotated::Child(grant) = app.refresh.rotate(token, Kind::Browser, &origin).await? else {
        return Ok((identity, Some(removal(app))));
    };
    viewer::sign_in(app, session, &grant.member, &origin).await?;
    viewer::join_family(app, session, &grant.member, grant.family).await?;
    let cookie = cookie(&name(app), &grant.refresh_token, grant.life);
    Ok((viewer::begun(session, grant.member).await?, Some(cookie)))
}

/// Sets the cookie, unless the answer itself has set it.
pub fn set(app: &App, cookie: Option<HeaderValue>, headers: &mut HeaderMap) {
    let Some(cookie) = cookie else { return };
    let name = name(app);
    if !headers.get_all(header::SET_COOKIE).iter().any(|line| line.as_bytes().starts_with(name.as_bytes())) {
        headers.append(header::SET_COOKIE, cookie);
    }
}

/// Begins a signed-in session, kept when `stays`, and ends that of whoever was signed in here `before`; the cookies that
/// are to be set or taken back go with the answer.
pub async fn sign_in(
    app: &App,
    (session, before): (&Session, &Identity),
    member: &Member,
    origin: &Origin,
    stays: bool,
) -> Result<Vec<HeaderValue>> {
    app.sessions.log_out(before, origin).await?;
    let mut cookies = Vec::new();
    let device = origin.device.unwrap_or_else(|| {
        let (device, cookie) = device::new(app);
        cookies.push(cookie);
        device
    });
    app.accounts.recognise(member, device, origin).await?;
    viewer::sign_in(app, session, member, origin).await?;
    sudo::grant(app, session).await?;
    if stays {
        let grant = app.refresh.begin(member, Kind::Browser, &[], origin).await?;
        viewer::join_family(app, session, member, grant.family).await?;
        cookies.push(cookie(&name(app), &grant.refresh_token, grant.life));
    } else {
        cookies.extend(before.family.map(|_| removal(app)));
    }
    Ok(cookies)
}

/// The cookie that takes the cookie back.
#[must_use]
pub fn removal(app: &App) -> HeaderValue {
    cookie(&name(app), "", std::time::Duration::ZERO)
}

/// `Secure` is added to every cookie by an outer layer.
pub(super) fn cookie(name: &str, value: &str, life: std::time::Duration) -> HeaderValue {
    let text = format!("{name}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax", life.as_secs());
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn name(app: &App) -> String {
    app.site.cookie("coffer-stay")
}
