//! A person's share links, in the settings.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::feeds::PrivateFeed;
use super::feeds::pages::FeedForm;
use super::{CHOICES, DEFAULT_DAYS, NewShare, ShareLink, Shares, SharesState, Target, feeds, public};
use crate::error::{Error, FieldErrors, Result};
use crate::identity::{RequestMeta, Viewer};
use crate::resources::searches::SavedSearch;
use crate::web::deps::WebDeps;
use crate::web::flash::Flash;
use crate::web::forms::{Form, Query, encode};
use crate::web::one_time_secret::{self, OneTimeSecret};
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::path::Id;

pub const HERE: &str = "/settings/shares";
const REVOKED: Flash = Flash::ok("share-revoked", "Link revoked. Its address no longer works.");
/// What is shown once on the page after the redirect.
const FRESH: &str = "share";

pub fn routes() -> Router<SharesState> {
    Router::new()
        .route(HERE, get(index).post(create))
        .route("/settings/shares/{id}/revoke", post(revoke))
        .merge(public::routes())
        .merge(feeds::pages::routes())
}

#[derive(Template)]
#[template(path = "settings/shares.html")]
struct SharesPage {
    context: PageContext,
    links: Vec<Listed>,
    feeds: FeedsPart,
    /// What the form would share, if the person came from there.
    offer: Option<Offer>,
    errors: FieldErrors,
    summary: Option<&'static str>,
    /// The address of the one just made; it is shown this once.
    fresh: Option<String>,
}

/// The lower half of the page.
#[derive(Default)]
struct FeedsPart {
    feeds: Vec<PrivateFeed>,
    searches: Vec<SavedSearch>,
    form: FeedForm,
    errors: FieldErrors,
    summary: Option<&'static str>,
}

struct Listed {
    link: ShareLink,
    is_over: bool,
    /// The page of coffer that shows the same to its owner.
    href: String,
}

struct Offer {
    form: ShareForm,
    title: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ShareForm {
    entry: String,
    tag: String,
    q: String,
    days: String,
}

impl ShareForm {
    fn new_share(&self) -> Result<NewShare> {
        let entry = match self.entry.as_str() {
            "" => None,
            id => Some(id.parse().map_err(|_| Error::NotFound)?),
        };
        let days = self.days.trim().parse().unwrap_or(0);
        Ok(NewShare { entry, tag: self.tag.clone(), query: self.q.clone(), days })
    }

    fn names_something(&self) -> bool {
        [&self.entry, &self.tag, &self.q].iter().any(|field| !field.trim().is_empty())
    }
}

impl Listed {
    fn new(link: ShareLink, is_over: bool) -> Self {
        let href = match &link.target {
            Target::Entry(id) => format!("/resources/{id}"),
            Target::Tag(name) => format!("/resources?mine=true&tag={}", encode(name)),
            Target::Search(text) => format!("/resources?mine=true&q={}", encode(text)),
        };
        Self { link, is_over, href }
    }

    fn kind(&self) -> &'static str {
        match self.link.target {
            Target::Entry(_) => "Entry",
            Target::Tag(_) => "Tag",
            Target::Search(_) => "Search",
        }
    }
}

async fn index(
    State(shares): State<Arc<Shares>>,
    viewer: Viewer,
    context: PageContext,
    secret: OneTimeSecret,
    Query(form): Query<ShareForm>,
) -> Result<Response> {
    let (toast, fresh) = (context.toast.is_some(), secret.take(FRESH));
    let was_fresh = fresh.is_some();
    let form = ShareForm { days: DEFAULT_DAYS.to_string(), ..form };
    let shown = SharesPage { fresh, ..shares_page(&shares, &viewer, context, form).await? };
    let mut response = page(&shown, toast)?;
    if was_fresh {
        one_time_secret::forget(&mut response);
    }
    Ok(response)
}

async fn create(
    State(shares): State<Arc<Shares>>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    origin: RequestMeta,
    context: PageContext,
    Form(form): Form<ShareForm>,
) -> Result<Response> {
    match shares.create(&viewer, &form.new_share()?, &origin).await {
        Ok(made) => Ok(shown_once(&deps, &viewer, &public::address(&deps.public_url, &made.token))),
        Err(Error::Invalid(errors)) => {
            let shown =
                shares_page(&shares, &viewer, context, ShareForm { q: String::new(), ..form }).await?;
            let summary = Some("Nothing was shared. Check these fields:");
            let again = page(&SharesPage { errors, summary, ..shown }, false)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

/// Leads to the page, which shows the address this once.
pub fn shown_once(deps: &WebDeps, viewer: &Viewer, address: &str) -> Response {
    let mut response = redirect(HERE, None);
    one_time_secret::keep(deps, viewer, &mut response, FRESH, address);
    response
}

/// The page with what is wrong with the form of a feed.
pub async fn refused_feed(
    shares: &Shares,
    viewer: &Viewer,
    context: PageContext,
    form: FeedForm,
    errors: FieldErrors,
) -> Result<Response> {
    let mut shown = shares_page(shares, viewer, context, ShareForm::default()).await?;
    let summary = Some("No feed was created. Check these fields:");
    shown.feeds = FeedsPart { form, errors, summary, ..shown.feeds };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown, false)?).into_response())
}

async fn revoke(
    State(shares): State<Arc<Shares>>,
    viewer: Viewer,
    origin: RequestMeta,
    Id(id): Id,
) -> Result<Response> {
    shares.revoke(viewer.signed_in()?, id, &origin).await?;
    Ok(redirect(HERE, Some(REVOKED)))
}

async fn shares_page(
    shares: &Shares,
    viewer: &Viewer,
    context: PageContext,
    form: ShareForm,
) -> Result<SharesPage> {
    let owner = viewer.signed_in()?;
    let listed = shares.list(owner).await?.into_iter();
    let offer = if form.names_something() {
        match shares.offered(viewer, &form.new_share()?).await {
            Ok(title) => Some(Offer { form, title }),
            Err(Error::Invalid(_)) => None,
            Err(error) => return Err(error),
        }
    } else {
        None
    };
    let feeds = FeedsPart {
        feeds: shares.feeds_of(owner).await?,
        searches: shares.resources.saved_searches(viewer).await?,
        ..FeedsPart::default()
    };
    Ok(SharesPage {
        context: context.section("shares"),
        feeds,
        links: listed.map(|link| Listed::new(link.clone(), shares.is_over(&link))).collect(),
        offer,
        errors: FieldErrors::default(),
        summary: None,
        fresh: None,
    })
}
