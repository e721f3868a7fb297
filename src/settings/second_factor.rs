//! The pages of two-step login: setting it up, new recovery codes, switching it off.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use data_encoding::BASE64;
use serde::Deserialize;
use tower_sessions::Session;

use super::flash;
use super::qr::{Picture, picture};
use crate::accounts::Proof;
use crate::accounts::factor::{Changed, Offer};
use crate::auth::{Auth, require_second_factor, sudo_mode};
use crate::error::{Error, FieldErrors, Result};
use crate::identity::{Identity, Member, RequestMeta, Viewer};
use crate::sessions::data::Data;
use crate::web::forms::{Form, encode};
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::sudo::Sudo;

#[derive(Template)]
#[template(path = "settings/totp.html")]
struct TotpPage {
    context: PageContext,
    picture: Picture,
    /// In groups of four.
    key: String,
    link: String,
    /// It replaces one that works.
    replaces: bool,
    required: bool,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "settings/recovery_codes.html")]
struct CodesPage {
    context: PageContext,
    codes: Vec<String>,
    /// The same as a text file, in a `data:` address.
    file: String,
    /// The user is logged in on another device too.
    elsewhere: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CodeForm {
    code: String,
}

pub async fn form(
    _: Sudo,
    State(auth): State<Arc<Auth>>,
    session: Session,
    viewer: Viewer,
    context: PageContext,
) -> Result<Response> {
    let member = viewer.signed_in()?;
    let offer = offered(&auth, &session, member).await?;
    page(&totp_page(&auth, member, context, offer, FieldErrors::default())?, false)
}

pub async fn switch_on(
    _: Sudo,
    State(auth): State<Arc<Auth>>,
    session: Session,
    identity: Identity,
    origin: RequestMeta,
    context: PageContext,
    Form(form): Form<CodeForm>,
) -> Result<Response> {
    let member = identity.viewer.signed_in()?;
    let offer = offered(&auth, &session, member).await?;
    match auth.accounts.switch_on(member, &offer, &form.code, &origin).await {
        Ok(Changed { member: now, codes }) => {
            Data { offered: None, ..Data::from_session(&session).await? }.keep(&session).await?;
            sudo_mode::renew(&auth.deps.system, &session, member, now, Proof::SudoAndFactor).await?;
            let elsewhere = auth.sessions.is_elsewhere(&identity, &origin).await?;
            codes_page(&auth, context, codes, elsewhere)
        }
        Err(Error::Invalid(errors)) => {
            let again = page(&totp_page(&auth, member, context, offer, errors)?, false)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

pub async fn switch_off(
    _: Sudo,
    State(auth): State<Arc<Auth>>,
    session: Session,
    identity: Identity,
    origin: RequestMeta,
) -> Result<Response> {
    let member = identity.viewer.signed_in()?;
    if require_second_factor::concerns(&auth, &identity.viewer) {
        return Err(Error::Forbidden(
            "This site requires two-step login, so you can’t turn it off. You can set it up with a different app.",
        ));
    }
    let now = auth.accounts.switch_off(member, Some(member.id), &origin).await?;
    sudo_mode::renew(&auth.deps.system, &session, member, now, Proof::SudoAndFactor).await?;
    let elsewhere = auth.sessions.is_elsewhere(&identity, &origin).await?;
    Ok(redirect("/settings/security", Some(flash::second_factor_off(elsewhere))))
}

pub async fn new_codes(
    _: Sudo,
    State(auth): State<Arc<Auth>>,
    session: Session,
    identity: Identity,
    origin: RequestMeta,
    context: PageContext,
) -> Result<Response> {
    let member = identity.viewer.signed_in()?;
    let Changed { member: now, codes } = auth.accounts.new_codes(member, &origin).await?;
    sudo_mode::renew(&auth.deps.system, &session, member, now, Proof::SudoAndFactor).await?;
    let elsewhere = auth.sessions.is_elsewhere(&identity, &origin).await?;
    codes_page(&auth, context, codes, elsewhere)
}

/// The secret offered in this session, the same until a code proves it.
async fn offered(auth: &Auth, session: &Session, member: &Member) -> Result<Offer> {
    let data = Data::from_session(session).await?;
    let before = data.offered.as_ref().and_then(|text| BASE64.decode(text.as_bytes()).ok());
    let offer = auth.accounts.offer(member, before.as_deref())?;
    if before.as_ref() != Some(&offer.sealed) {
        Data { offered: Some(BASE64.encode(&offer.sealed)), ..data }.keep(session).await?;
    }
    Ok(offer)
}

fn totp_page(
    auth: &Auth,
    member: &Member,
    context: PageContext,
    offer: Offer,
    errors: FieldErrors,
) -> Result<TotpPage> {
    let groups: Vec<_> = offer.key.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    Ok(TotpPage {
        context: context.section("security"),
        picture: picture(&offer.link)?,
        key: groups.join(" "),
        link: offer.link,
        replaces: member.second_factor,
        required: auth.require_2fa.asks(member) && !member.second_factor,
        errors,
    })
}

fn codes_page(auth: &Auth, context: PageContext, codes: Vec<String>, elsewhere: bool) -> Result<Response> {
    let heading = format!("Recovery codes for {}. Each code works once.", auth.deps.public_url.address());
    let text = format!("{heading}\r\n\r\n{}\r\n", codes.join("\r\n"));
    let file = format!("data:text/plain;charset=utf-8,{}", encode(&text));
    page(&CodesPage { context: context.section("security"), codes, file, elsewhere }, false)
}
