//! The cookie of a device that is kept signed in, and the session that it begins when the old one is over.

use axum::http::HeaderMap;

use crate::accounts::actions::LOG_IN;
use crate::accounts::{Proof, Proved};
use crate::admin::pages::LIVE;
use crate::audit::Event;
use crate::auth::session::{self, RequestSession};
use crate::auth::{Auth, SignIn};
use crate::error::Result;
use crate::identity::{Identity, RequestMeta};
use crate::public_url::PublicUrl;
use crate::refresh::{Kind, NewDevice, Rotation};
use crate::tokens::format::Prefix;
use crate::web::cookies::{Cookie, Life, Name};
use crate::web::request::Head;
use crate::web::{cookies, device};

/// The session's user, or else the user of a kept device, then with the cookie to set.
pub async fn identify(
    auth: &Auth,
    here: &mut RequestSession,
    head: Head<'_>,
) -> Result<(Identity, Option<Cookie<'static>>)> {
    // A page of figures that reloads itself does not extend the session.
    let slides = head.uri.path() != LIVE;
    let identity = session::identify(auth, here, slides).await?;
    if identity.viewer.member().is_some() {
        return Ok((identity, None));
    }
    let Some(token) = token(&auth.deps.public_url, head.headers) else { return Ok((identity, None)) };
    let origin = RequestMeta::new(&auth.deps, head.headers, head.extensions);
    // Boxed, as few requests begin a session.
    let rotation = Box::pin(auth.refresh.rotate(&token, Kind::Browser, &origin)).await?;
    let Rotation::Granted(grant) = rotation else {
        return Ok((identity, Some(cookies::removal(Name::RememberMe))));
    };
    let (session, proved) = (&here.session, Proved { member: grant.member, by: Proof::KeptDevice });
    session::sign_in(auth, session, &proved, &origin).await?;
    session::join_family(auth, session, &proved.member, grant.family).await?;
    let cookie = cookies::new(Name::RememberMe, &grant.refresh_token, Life::For(grant.life));
    Ok((session::new_identity(session).await?, Some(cookie)))
}

pub fn set(cookie: Option<Cookie<'static>>, headers: &mut HeaderMap) {
    if cookie.is_some() && !cookies::is_set(headers, Name::RememberMe) {
        cookies::add(headers, cookie);
    }
}

/// Also ends the session that was signed in here before. Returns the cookies to set or remove.
pub async fn sign_in(auth: &Auth, here: SignIn<'_>, proved: &Proved) -> Result<Vec<Cookie<'static>>> {
    let SignIn { session, before, origin, stays, is_login } = here;
    auth.sessions.log_out(before, origin).await?;
    let mut set = Vec::new();
    let device = origin.device.unwrap_or_else(|| {
        let (device, cookie) = device::new(&auth.deps.system);
        set.push(cookie);
        device
    });
    let member = &proved.member;
    let login = is_login.then(|| Event::own(LOG_IN, member.id));
    auth.accounts.recognise(member, device, login, origin).await?;
    session::sign_in(auth, session, proved, origin).await?;
    if stays {
        let grant = auth.refresh.begin(member, Kind::Browser, &NewDevice::default(), origin).await?;
        session::join_family(auth, session, member, grant.family).await?;
        set.push(cookies::new(Name::RememberMe, &grant.refresh_token, Life::For(grant.life)));
    } else {
        set.extend(before.family.map(|_| cookies::removal(Name::RememberMe)));
    }
    Ok(set)
}

fn token(site: &PublicUrl, headers: &HeaderMap) -> Option<String> {
    let mut any = None;
    let fits = cookies::find(site, headers, Name::RememberMe, |sent| {
        any = Some(sent.to_owned());
        Prefix::Refresh.fits(sent).then(|| sent.to_owned())
    });
    // A token that does not fit is returned too, so that the browser's cookie is removed.
    fits.or(any)
}
