//! Personal tokens, in a browser.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::{CHOICES, DEFAULT_DAYS, NewToken, Token, Tokens, TokensState};

use crate::error::{Error, FieldErrors, Result};
use crate::identity::{Member, RequestMeta, Scope, Viewer};
use crate::web::deps::WebDeps;
use crate::web::flash::Flash;
use crate::web::forms::Form;
use crate::web::one_time_secret::{self, OneTimeSecret};
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::path::Id;
use crate::web::sudo::Sudo;

const REVOKED: Flash = Flash::ok("token-revoked", "Token revoked. Programs can no longer use it.");

/// What is shown once on the page after the redirect.
const FRESH: &str = "token";

pub fn routes() -> Router<TokensState> {
    Router::new()
        .route("/settings/tokens", get(index).post(create))
        .route("/settings/tokens/{id}/revoke", post(revoke))
}

#[derive(Template)]
#[template(path = "settings/tokens.html")]
struct TokensPage {
    context: PageContext,
    tokens: Vec<Listed>,
    form: TokenForm,
    errors: FieldErrors,
    summary: Option<&'static str>,
    /// The one just made; it is shown this once.
    fresh: Option<String>,
}

struct Listed {
    token: Token,
    is_over: bool,
}

#[derive(Deserialize)]
struct TokenForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    days: String,
    /// One checkbox a scope, by [`Scope::field`]; an empty box is not sent.
    #[serde(flatten)]
    boxes: BTreeMap<String, String>,
}

impl Default for TokenForm {
    fn default() -> Self {
        Self {
            name: String::new(),
            days: DEFAULT_DAYS.to_string(),
            boxes: BTreeMap::from([(Scope::ResourcesRead.field(), "on".to_owned())]),
        }
    }
}

impl TokenForm {
    fn is_chosen(&self, scope: Scope) -> bool {
        self.boxes.get(&scope.field()).is_some_and(|value| !value.is_empty())
    }

    fn new_token(&self) -> NewToken {
        let chosen = Scope::ALL.into_iter().filter(|scope| self.is_chosen(*scope));
        NewToken {
            name: self.name.clone(),
            scopes: chosen.map(|scope| scope.as_str().to_owned()).collect(),
            days: self.days.trim().parse().unwrap_or(0),
        }
    }
}

async fn index(
    State(tokens): State<Arc<Tokens>>,
    viewer: Viewer,
    context: PageContext,
    secret: OneTimeSecret,
) -> Result<Response> {
    let (toast, fresh) = (context.toast.is_some(), secret.take(FRESH));
    let was_fresh = fresh.is_some();
    let shown = TokensPage { fresh, ..tokens_page(&tokens, viewer.signed_in()?, context).await? };
    let mut response = page(&shown, toast)?;
    if was_fresh {
        one_time_secret::forget(&mut response);
    }
    Ok(response)
}

async fn create(
    State(tokens): State<Arc<Tokens>>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    _: Sudo,
    origin: RequestMeta,
    context: PageContext,
    Form(form): Form<TokenForm>,
) -> Result<Response> {
    let owner = viewer.signed_in()?;
    match tokens.make(owner, &form.new_token(), None, &origin).await {
        Ok(made) => {
            let mut response = redirect("/settings/tokens", None);
            one_time_secret::keep(&deps, &viewer, &mut response, FRESH, &made.secret);
            Ok(response)
        }
        Err(Error::Invalid(errors)) => {
            let shown = tokens_page(&tokens, owner, context).await?;
            let summary = Some("No token was created. Check these fields:");
            let again = page(&TokensPage { form, errors, summary, ..shown }, false)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

async fn revoke(
    State(tokens): State<Arc<Tokens>>,
    viewer: Viewer,
    _: Sudo,
    origin: RequestMeta,
    Id(id): Id,
) -> Result<Response> {
    tokens.revoke(viewer.signed_in()?, id, &origin).await?;
    Ok(redirect("/settings/tokens", Some(REVOKED)))
}

async fn tokens_page(tokens: &Tokens, owner: &Member, context: PageContext) -> Result<TokensPage> {
    let listed = tokens.list(owner).await?;
    Ok(TokensPage {
        context: context.section("tokens"),
        tokens: listed.into_iter().map(|token| Listed { is_over: tokens.is_over(&token), token }).collect(),
        form: TokenForm::default(),
        errors: FieldErrors::default(),
        summary: None,
        fresh: None,
    })
}
