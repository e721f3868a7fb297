//! The checks of an unsafe request before its handler: whether it comes from our pages, and who sent it.
//!
//! A form whose session is over comes again with the answer to its prompt, and goes on in the same request. Its old token
//! tells whether the user who logs in has written it; another user is asked first.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use tower_sessions::Session;

use crate::accounts::Proved;
use crate::auth::{Auth, SignIn, remember_me, require_second_factor, session};
use crate::error::{Error, Result};
use crate::identity::{Identity, RequestMeta, set_identity};
use crate::web::csrf::FIELD;
use crate::web::page_context::PageContext;
use crate::web::pending::{Answers, PendingForm, Sent};
use crate::web::prompt::{LogIn, Prompt, PromptPage};
use crate::web::{cookies, csrf};

pub struct Guard<'a> {
    pub auth: &'a Auth,
    pub session: &'a Session,
    pub identity: &'a Identity,
}

impl<'a> Guard<'a> {
    /// Boxed, as most requests need none of it.
    #[must_use]
    pub fn run(self, request: Request, next: Next) -> BoxFuture<'a, Response> {
        Box::pin(async move {
            // The one form with a file in it is read by its handler.
            if csrf::is_multipart(&request) {
                return match csrf::check_page(&self.auth.deps.public_url, self.identity, &request, None) {
                    Ok(()) => next.run(request).await,
                    Err(error) => error.into_response(),
                };
            }
            match Sent::read(request).await {
                Ok(sent) => self.send(sent, next).await,
                Err(error) => error.into_response(),
            }
        })
    }

    async fn send(&self, sent: Sent, next: Next) -> Response {
        let Sent { mut form, answers, request } = sent;
        let answer = self.answer(&mut form, answers, request, next).await;
        form.keep(answer.unwrap_or_else(IntoResponse::into_response))
    }

    async fn answer(
        &self,
        form: &mut PendingForm,
        answers: Answers,
        mut request: Request,
        next: Next,
    ) -> Result<Response> {
        if answers.has_log_in() {
            csrf::check_origin(&self.auth.deps.public_url, &request)?;
            return self.resume(form, &answers, request, next).await;
        }
        csrf::check_page(&self.auth.deps.public_url, self.identity, &request, form.field(FIELD))?;
        request.extensions_mut().insert(answers);
        Ok(next.run(request).await)
    }

    async fn resume(
        &self,
        form: &mut PendingForm,
        answers: &Answers,
        mut request: Request,
        next: Next,
    ) -> Result<Response> {
        let origin = RequestMeta::new(&self.auth.deps, request.headers(), request.extensions());
        let proved = match self.prove(answers, &origin).await? {
            Ok(proved) => proved,
            Err(lacking) => return Ok(ask_again(lacking)),
        };
        let is_theirs = self.auth.form_key.is_of(form.field(FIELD).unwrap_or_default(), proved.member.id);
        let stays = answers.get(Answers::STAY).is_some();
        let before = self.identity;
        let here = SignIn { session: self.session, before, origin: &origin, stays, is_login: true };
        let set = remember_me::sign_in(self.auth, here, &proved).await?;
        let identity = session::new_identity(self.session).await?;
        set_identity(request.extensions_mut(), identity.clone());
        form.set_token(&identity.csrf);
        let mut response = if let Err(error) = require_second_factor::check(self.auth, &identity.viewer) {
            error.into_response()
        } else if is_theirs {
            *request.body_mut() = form.body();
            next.run(request).await
        } else {
            self.ask_whose(form, &identity)
        };
        cookies::add(response.headers_mut(), set);
        Ok(response)
    }

    /// The user who answers, or what the answer lacks.
    async fn prove(&self, answers: &Answers, origin: &RequestMeta) -> Result<Result<Proved, LogIn>> {
        let answer = |name| answers.get(name).unwrap_or_default();
        let (login, code) = (answer(Answers::LOGIN), answer(Answers::CODE));
        let accounts = &self.auth.accounts;
        let lacking =
            LogIn { login: login.to_owned(), stay: answers.get(Answers::STAY).is_some(), ..LogIn::default() };
        let found = accounts.authenticate(login, answer(Answers::PASSWORD), origin).await?;
        let Some(proved) = found else { return Ok(Err(LogIn { wrong: true, ..lacking })) };
        if !proved.by.lacks_code() {
            return Ok(Ok(proved));
        }
        if code.is_empty() {
            return Ok(Err(LogIn { code: true, ..lacking }));
        }
        let complete = accounts.check_second_factor(&proved.member, code, origin).await?;
        Ok(complete.ok_or(LogIn { wrong: true, code: true, ..lacking }))
    }

    fn ask_whose(&self, form: &PendingForm, identity: &Identity) -> Response {
        let context = PageContext::new(&self.auth.deps, identity, form.action.clone());
        let name = context.viewer.as_ref().map(|face| face.display_name.clone()).unwrap_or_default();
        let prompt = Prompt::Whose { name };
        (StatusCode::CONFLICT, PromptPage::new(context, prompt, form, self.auth.stay_days)).into_response()
    }
}

fn ask_again(lacking: LogIn) -> Response {
    let mut response = Error::SignInRequired.into_response();
    response.extensions_mut().insert(lacking);
    response
}
