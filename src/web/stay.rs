//! The cookie of a device that is kept signed in, and the session that it begins when the old one is over.

use axum::http::HeaderMap;

use super::cookies::{self, Cookie, Life, Name};
use super::device;
use super::enter::Visit;
use super::origin::Origin;
use super::request::Head;
use super::site::Site;
use super::viewer::{self, Identity};
use crate::accounts::{Proof, Proved};
use crate::admin::pages::LIVE;
use crate::auth::{Auth, SignIn};
use crate::error::Result;
use crate::refresh::{Kind, Rotation};
use crate::tokens::format::Prefix;

/// Whom the session knows, else whose device this is that is kept signed in; then with the cookie to be set.
///
/// # Errors
/// Sessions can't be had just now.
pub async fn recognise(
    auth: &Auth,
    visit: &mut Visit,
    head: Head<'_>,
) -> Result<(Identity, Option<Cookie<'static>>)> {
    // Looking at figures that renew themselves keeps nobody signed in.
    let slides = head.uri.path() != LIVE;
    let identity = viewer::read(auth, visit, slides).await?;
    if identity.viewer.member().is_some() {
        return Ok((identity, None));
    }
    let Some(token) = token(&auth.deps.public_url, head.headers) else { return Ok((identity, None)) };
    let origin = Origin::new(&auth.deps, head.headers, head.extensions);
    let Rotation::Granted(grant) = auth.refresh.rotate(&token, Kind::Browser, &origin).await? else {
        return Ok((identity, Some(cookies::removal(Name::Stay))));
    };
    let (session, proved) = (&visit.session, Proved { member: grant.member, by: Proof::KeptDevice });
    viewer::sign_in(auth, session, &proved, &origin).await?;
    viewer::join_family(auth, session, &proved.member, grant.family).await?;
    let cookie = cookies::new(Name::Stay, &grant.refresh_token, Life::For(grant.life));
    Ok((viewer::begun(session, proved.member).await?, Some(cookie)))
}

/// Sets the cookie, unless the answer itself has set it.
pub fn set(cookie: Option<Cookie<'static>>, headers: &mut HeaderMap) {
    if cookie.is_some() && !cookies::is_set(headers, Name::Stay) {
        cookies::add(headers, cookie);
    }
}

/// Begins a signed-in session and ends the one that was signed in here before. Returns the cookies that the answer sets
/// or takes back.
pub async fn sign_in(auth: &Auth, here: SignIn<'_>, proved: &Proved) -> Result<Vec<Cookie<'static>>> {
    let SignIn { session, before, origin, stays } = here;
    auth.sessions.log_out(before, origin).await?;
    let mut set = Vec::new();
    let device = origin.device.unwrap_or_else(|| {
        let (device, cookie) = device::new(&auth.deps.system);
        set.push(cookie);
        device
    });
    let member = &proved.member;
    auth.accounts.recognise(member, device, origin).await?;
    viewer::sign_in(auth, session, proved, origin).await?;
    if stays {
        let grant = auth.refresh.begin(member, Kind::Browser, &[], origin).await?;
        viewer::join_family(auth, session, member, grant.family).await?;
        set.push(cookies::new(Name::Stay, &grant.refresh_token, Life::For(grant.life)));
    } else {
        set.extend(before.family.map(|_| cookies::removal(Name::Stay)));
    }
    Ok(set)
}

/// The token that the browser brings.
fn token(site: &Site, headers: &HeaderMap) -> Option<String> {
    let mut any = None;
    let fits = cookies::find(site, headers, Name::Stay, |sent| {
        any = Some(sent.to_owned());
        Prefix::Refresh.fits(sent).then(|| sent.to_owned())
    });
    // What is none is taken back from the browser too.
    fits.or(any)
}
