//! A form whose session is over: the password is asked for in its place, and then it is carried out.
//!
//! The question holds the form in hidden fields, the old form token among them, and goes where the form went.
//! The token's tag tells whether whoever logs in there is the one who wrote it; somebody else is asked first.

use askama::Template;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};
use tower_sessions::Session;
use url::form_urlencoded;

use super::chrome::{Chrome, Face};
use super::cookies;
use super::csrf::{FIELD, HEADER};
use super::faces::{Kept, KeptField};
use super::log::RequestId;
use super::origin::Origin;
use super::required;
use super::stay;
use super::viewer::{self, Identity};
use crate::accounts::Proved;
use crate::app::App;
use crate::error::Result;

const LOGIN: &str = "signin_login";
const PASSWORD: &str = "signin_password";
const CODE: &str = "signin_code";
const STAY: &str = "signin_stay";

type Pairs = Vec<(String, String)>;

/// The answer to the question.
#[derive(Clone, Default)]
pub struct SignIn {
    login: String,
    password: String,
    /// Of the second factor, where there is one.
    code: String,
    stay: bool,
}

impl SignIn {
    /// Takes the answer out of the form that it came with.
    pub fn take(sent: &mut Pairs) -> Option<Self> {
        let mut found = Self::default();
        let mut answered = false;
        sent.retain(|(name, value)| {
            match name.as_str() {
                LOGIN => found.login.clone_from(value),
                PASSWORD => found.password.clone_from(value),
                CODE => found.code.clone_from(value),
                STAY => found.stay = true,
                _ => return true,
            }
            answered = true;
            false
        });
        answered.then_some(found)
    }
}

/// A form on its way to a handler: where it goes and what it holds.
#[derive(Clone)]
pub struct Unsent {
    pub action: String,
    request_id: String,
    pub fields: Pairs,
}

/// How an answer was not enough.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    Wrong,
    CodeMissing,
    CodeWrong,
}

#[derive(Template)]
#[template(path = "accounts/unsent.html")]
struct QuestionPage<'a> {
    chrome: Chrome,
    unsent: &'a Unsent,
    typed: Vec<KeptField>,
    login: String,
    wrong: bool,
    /// The password is right; a code is asked for besides.
    code: bool,
    stay: bool,
    stay_days: u32,
}

#[derive(Template)]
#[template(path = "accounts/unsent_other.html")]
struct OtherPage<'a> {
    chrome: Chrome,
    face: Face,
    unsent: &'a Unsent,
    typed: Vec<KeptField>,
}

impl Unsent {
    #[must_use]
    pub fn of(request: &Request, sent: &[(String, String)]) -> Self {
        let mut fields = sent.to_vec();
        let token = request.headers().get(HEADER).and_then(|token| token.to_str().ok());
        if let Some(token) = token.filter(|_| !sent.iter().any(|(name, _)| name == FIELD)) {
            fields.push((FIELD.to_owned(), token.to_owned()));
        }
        Self {
            action: request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            request_id: request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
            fields,
        }
    }

    /// A form with a password or a code in it is not written into a page.
    #[must_use]
    pub fn can_wait(&self) -> bool {
        !self.fields.iter().any(|(name, _)| name.contains("password") || name.contains("code"))
    }

    fn token(&self) -> &str {
        self.fields.iter().find(|(name, _)| name == FIELD).map_or("", |(_, value)| value)
    }

    fn typed(&self) -> Vec<KeptField> {
        Kept::of(self.fields.clone()).fields()
    }

    /// The question, in the form's place.
    #[must_use]
    pub fn ask(&self, app: &App, tried: Option<(&SignIn, Tried)>) -> Response {
        let outcome = tried.map(|(_, outcome)| outcome);
        let tried = tried.map(|(answer, _)| answer);
        let question = QuestionPage {
            chrome: Chrome::of(app, &Identity::default(), self.action.clone()).section("account"),
            unsent: self,
            typed: self.typed(),
            login: tried.map(|tried| tried.login.clone()).unwrap_or_default(),
            wrong: outcome.is_some_and(|outcome| outcome != Tried::CodeMissing),
            code: outcome.is_some_and(|outcome| outcome != Tried::Wrong),
            stay: tried.is_some_and(|tried| tried.stay),
            stay_days: app.config.stay_days,
        };
        let mut response = whole_page(StatusCode::UNAUTHORIZED, &question);
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        response
    }

    /// Logs in and goes on with the form, at once when it is this person's.
    ///
    /// # Errors
    /// What keeps a log-in from being tried.
    pub async fn carry_out(
        self,
        app: &App,
        (session, before, origin): (&Session, &Identity, &Origin),
        answer: &SignIn,
        (mut request, next): (Request, Next),
    ) -> Result<Response> {
        let proved = match Self::prove(app, answer, origin).await? {
            Ok(proved) => proved,
            Err(tried) => return Ok(self.ask(app, Some((answer, tried)))),
        };
        let is_theirs = app.form_key.is_of(self.token(), proved.member.id);
        let set = stay::sign_in(app, (session, before), &proved, origin, answer.stay).await?;
        let identity = viewer::begun(session, proved.member).await?;
        viewer::introduce(request.extensions_mut(), identity.clone());
        let mut response = if let Err(error) = required::check(app, &identity.viewer) {
            error.into_response()
        } else if is_theirs {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.fields).finish();
            *request.body_mut() = Body::from(body);
            next.run(request).await
        } else {
            self.ask_whose(app, &identity)
        };
        cookies::add(response.headers_mut(), set);
        Ok(response)
    }

    /// Who answers, or how the answer is not enough.
    async fn prove(app: &App, answer: &SignIn, origin: &Origin) -> Result<Result<Proved, Tried>> {
        let found = app.accounts.authenticate(&answer.login, &answer.password, origin).await?;
        let Some(proved) = found else { return Ok(Err(Tried::Wrong)) };
        if !proved.by.lacks_code() {
            return Ok(Ok(proved));
        }
        if answer.code.is_empty() {
            return Ok(Err(Tried::CodeMissing));
        }
        let complete = app.accounts.check_second_factor(&proved.member, &answer.code, origin).await?;
        Ok(complete.ok_or(Tried::CodeWrong))
    }

    /// Somebody else has logged in: whose is it to be?
    fn ask_whose(self, app: &App, identity: &Identity) -> Response {
        let mut chrome = Chrome::of(app, identity, self.action.clone());
        let Some(face) = chrome.viewer.clone() else { return self.ask(app, None) };
        chrome.section = "account";
        let typed = self.typed();
        let fields = self.fields.into_iter().filter(|(name, _)| name != FIELD).collect();
        let unsent = Self { fields, ..self };
        whole_page(StatusCode::CONFLICT, &OtherPage { chrome, face, unsent: &unsent, typed })
    }
}

/// Also where htmx asked for a part of one.
fn whole_page(status: StatusCode, template: &impl Template) -> Response {
    const WHOLE: [(HeaderName, &str); 2] = [
        (HeaderName::from_static("hx-retarget"), "body"),
        (HeaderName::from_static("hx-reswap"), "innerHTML show:top"),
    ];
    match template.render() {
        Ok(html) => (status, WHOLE, Html(html)).into_response(),
        Err(error) => crate::error::Error::from(error).into_response(),
    }
}
