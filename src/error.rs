//! What can go wrong, as values. The edge (`pipeline::error_response`) turns them into a page or problem+json.

mod code;

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::http::StatusCode;
use uuid::Uuid;

pub use self::code::Code;
use crate::limiter::verdict::Refusal;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every failure a visitor can meet. `status()`, `code()` and `message()` are complete in one place each.
#[derive(Clone, Debug)]
pub enum Error {
    NotFound,
    /// With the address in the API that was probably meant.
    UnknownRoute(Option<String>),
    MethodNotAllowed,
    SignInRequired,
    SudoRequired,
    SudoRefused,
    BadToken,
    TokenExpired,
    TokenReused,
    BadCredentials,
    SecondFactorRequired,
    WrongCode,
    SecondFactorMissing,
    /// With the scope that it lacks.
    InsufficientScope(&'static str),
    UnknownScope,
    Forbidden(&'static str),
    CrossSite,
    /// With the address that coffer has, where the configuration names one.
    WrongHost(Option<String>),
    LinkOver,
    Malformed {
        code: Code,
        message: String,
    },
    BadQuery {
        message: String,
        /// In characters from the start.
        position: usize,
    },
    BadCursor,
    CursorExpired,
    Invalid(FieldErrors),
    DuplicateUrl(Uuid),
    LastAdmin,
    Trashed,
    PreconditionRequired,
    /// With what is saved, as the API shows it.
    VersionConflict {
        version: i64,
        current: Box<serde_json::Value>,
    },
    IdempotencyKeyReused,
    IdempotencyKeyInUse,
    WrongType {
        wanted: &'static str,
    },
    TooLarge {
        limit: usize,
    },
    TooManyRequests(Refusal),
    Busy,
    /// The client did not send its body in time.
    BodyTimedOut,
    TimedOut,
    Unavailable(String),
    /// The database went away while something was saved: it may be there.
    OutcomeUnknown(String),
    Internal(String),
}

impl Error {
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::UnknownRoute(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::SignInRequired
            | Self::BadToken
            | Self::TokenExpired
            | Self::TokenReused
            | Self::BadCredentials
            | Self::SecondFactorRequired
            | Self::WrongCode => StatusCode::UNAUTHORIZED,
            Self::SudoRequired
            | Self::SecondFactorMissing
            | Self::InsufficientScope(_)
            | Self::Forbidden(_)
            | Self::CrossSite => StatusCode::FORBIDDEN,
            Self::WrongHost(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::LinkOver | Self::CursorExpired => StatusCode::GONE,
            Self::Malformed { .. } | Self::BadQuery { .. } | Self::BadCursor => StatusCode::BAD_REQUEST,
            Self::SudoRefused | Self::UnknownScope | Self::Invalid(_) | Self::IdempotencyKeyReused => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::DuplicateUrl(_) | Self::LastAdmin | Self::Trashed | Self::IdempotencyKeyInUse => {
                StatusCode::CONFLICT
            }
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::VersionConflict { .. } => StatusCode::PRECONDITION_FAILED,
            Self::WrongType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::BodyTimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::TimedOut | Self::Unavailable(_) | Self::OutcomeUnknown(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The stable name that API clients may rely on.
    pub const fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::NotFound,
            Self::UnknownRoute(_) => Code::UnknownRoute,
            Self::MethodNotAllowed => Code::MethodNotAllowed,
            Self::SignInRequired => Code::SignInRequired,
            Self::SudoRequired => Code::SudoRequired,
            Self::SudoRefused => Code::SudoRefused,
            Self::BadToken => Code::BadToken,
            Self::TokenExpired => Code::TokenExpired,
            Self::TokenReused => Code::TokenReused,
            Self::BadCredentials => Code::BadCredentials,
            Self::SecondFactorRequired | Self::SecondFactorMissing => Code::SecondFactorRequired,
            Self::WrongCode => Code::WrongCode,
            Self::InsufficientScope(_) => Code::InsufficientScope,
            Self::UnknownScope => Code::UnknownScope,
            Self::Forbidden(_) => Code::Forbidden,
            Self::CrossSite => Code::CrossSite,
            Self::WrongHost(_) => Code::WrongHost,
            Self::LinkOver => Code::LinkOver,
            Self::Malformed { code, .. } => *code,
            Self::BadQuery { .. } => Code::BadQuery,
            Self::BadCursor => Code::BadCursor,
            Self::CursorExpired => Code::CursorExpired,
            Self::Invalid(_) => Code::Invalid,
            Self::DuplicateUrl(_) => Code::DuplicateUrl,
            Self::LastAdmin => Code::LastAdmin,
            Self::Trashed => Code::Trashed,
            Self::PreconditionRequired => Code::PreconditionRequired,
            Self::VersionConflict { .. } => Code::VersionConflict,
            Self::IdempotencyKeyReused => Code::IdempotencyKeyReused,
            Self::IdempotencyKeyInUse => Code::IdempotencyKeyInUse,
            Self::WrongType { .. } => Code::UnsupportedMediaType,
            Self::TooLarge { .. } => Code::TooLarge,
            Self::TooManyRequests(_) => Code::TooManyRequests,
            Self::Busy => Code::Busy,
            Self::BodyTimedOut => Code::BodyTimedOut,
            Self::TimedOut => Code::TimedOut,
            Self::Unavailable(_) => Code::Unavailable,
            Self::OutcomeUnknown(_) => Code::OutcomeUnknown,
            Self::Internal(_) => Code::Internal,
        }
    }

    /// A sentence for the visitor that says what to do, and nothing of the inside.
    pub fn message(&self) -> Cow<'static, str> {
        match self {
            Self::NotFound => "There is nothing here that you may see. Check the address.".into(),
            Self::UnknownRoute(Some(near)) => format!("There is no such address in the API. Did you mean {near}? /api/v1/openapi.json lists them all.").into(),
            Self::UnknownRoute(None) => "There is no such address in the API. /api/v1/openapi.json lists them all.".into(),
            Self::MethodNotAllowed => "This address does not take that method. The Allow header lists those it takes.".into(),
            Self::SignInRequired => "Sign in to do this.".into(),
            Self::SudoRequired => "Give your password once more at /sudo, then repeat this within ten minutes.".into(),
            Self::SudoRefused => "That is not right. Try again.".into(),
            Self::BadToken => "This token is not known here: it was mistyped or revoked. Make a new one in the settings, under API tokens.".into(),
            Self::TokenExpired => "This token’s time is over. Renew an access token at /api/v1/auth/refresh; make a new personal token in the settings.".into(),
            Self::TokenReused => "This refresh token was used before, as it happens when somebody has copied it. All that came from it is revoked: sign in again.".into(),
            Self::BadCredentials => "This name and password don’t belong together. Check both and try again.".into(),
            Self::SecondFactorRequired => "This account asks for a second factor. Send a current code as “code”; each works once.".into(),
            Self::WrongCode => "This code is not right, or was used before. Wait for the next one and send it as “code”.".into(),
            Self::SecondFactorMissing => "This site asks for two-step login. Set it up at /settings/security/totp, then repeat this.".into(),
            Self::InsufficientScope(scope) => format!("This token may not do that. It would need the scope {scope}.").into(),
            Self::UnknownScope => "One of these scopes does not exist. The API reference lists them all.".into(),
            Self::Forbidden(reason) => (*reason).into(),
            Self::CrossSite => "This request did not come from one of coffer's own pages, so it was not carried out. Open the page again and repeat it.".into(),
            Self::WrongHost(Some(origin)) => format!("coffer is at {origin} and answers by no other name.").into(),
            Self::WrongHost(None) => "This server does not answer for that host name. Whoever runs it sets the address in COFFER_BASE_URL.".into(),
            Self::LinkOver => "This link is used up or has expired. Ask for a fresh one.".into(),
            Self::Malformed { message, .. } | Self::BadQuery { message, .. } => message.clone().into(),
            Self::BadCursor => "This cursor is not one that coffer gave out for this list. Start again from the first page.".into(),
            Self::CursorExpired => "This cursor is too old: something that is gone is not told any more. Begin again without a cursor.".into(),
            Self::Invalid(_) => "Some fields need another look.".into(),
            Self::DuplicateUrl(_) => "You have already saved this address.".into(),
            Self::LastAdmin => "This is the last administrator who can still log in. Make somebody else one first.".into(),
            Self::Trashed => "This is in the trash. Restore it before changing it.".into(),
            Self::PreconditionRequired => "Send If-Match with the ETag of the version you have read; a PUT takes If-None-Match: *.".into(),
            Self::VersionConflict { version, .. } => format!("This was changed meanwhile: version {version} stands. Read it, then send your change again.").into(),
            Self::IdempotencyKeyReused => "This Idempotency-Key came with another request before. Make a new key for each request.".into(),
            Self::IdempotencyKeyInUse => "The first request with this Idempotency-Key is still at work. Send it again in a few seconds.".into(),
            Self::WrongType { wanted } => format!("Send this as {wanted}.").into(),
            Self::TooLarge { limit } => format!("This is larger than the {} that may be sent here.", size(*limit)).into(),
            Self::TooManyRequests(refusal) => format!("{} Try again in {}.", refusal.message(), refusal.wait()).into(),
            Self::Busy => "coffer is busy just now. Try again in a few seconds.".into(),
            Self::BodyTimedOut => "The rest of this request did not arrive in time, so nothing was changed. Send it again over a better connection.".into(),
            Self::TimedOut => "This took longer than it may. Try again in a few seconds.".into(),
            Self::Unavailable(_) => "The database can't be reached just now. Nothing was changed; try again in a few seconds.".into(),
            Self::OutcomeUnknown(_) => "The database stopped answering while this was being saved. It may have been saved: look before you send it again.".into(),
            Self::Internal(_) => "Something went wrong on our side and was written to the log.".into(),
        }
    }

    /// The same in a request that has saved something, or may have: it does not say that nothing was changed.
    pub fn after_saving(&self) -> Option<Self> {
        match self {
            Self::Unavailable(reason) => Some(Self::OutcomeUnknown(reason.clone())),
            Self::Busy | Self::TimedOut => Some(Self::OutcomeUnknown(self.code().as_str().to_owned())),
            _ => None,
        }
    }

    /// An error at one field.
    pub fn field(name: &'static str, message: impl Into<String>) -> Self {
        let mut errors = FieldErrors::default();
        errors.add(name, message);
        Self::Invalid(errors)
    }
}

/// Bytes, for people.
fn size(bytes: usize) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::TooManyRequests(refusal)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if crate::db::is_outcome_unknown(&error) {
            Self::OutcomeUnknown(error.to_string())
        } else if crate::db::is_unavailable(&error) {
            Self::Unavailable(error.to_string())
        } else {
            Self::Internal(error.to_string())
        }
    }
}

impl From<tower_sessions::session::Error> for Error {
    fn from(error: tower_sessions::session::Error) -> Self {
        Self::Unavailable(format!("session store: {error}"))
    }
}

impl From<askama::Error> for Error {
    fn from(error: askama::Error) -> Self {
        Self::Internal(format!("template: {error}"))
    }
}

/// Sentences by field name, at most one a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(BTreeMap<Cow<'static, str>, String>);

impl FieldErrors {
    pub fn add(&mut self, field: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        self.0.entry(field.into()).or_insert_with(|| message.into());
    }

    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(field, message)| (&**field, message.as_str()))
    }

    /// The value when nothing is wrong, else the errors.
    pub fn or<T>(self, value: T) -> Result<T> {
        if self.is_empty() { Ok(value) } else { Err(Error::Invalid(self)) }
    }
}
