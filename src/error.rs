//! All errors as values. `pipeline::error_response` turns them into a page or problem+json.

mod code;
mod conversions;
mod field_errors;

use std::borrow::Cow;

use axum::http::StatusCode;
use uuid::Uuid;

pub use self::code::Code;
pub use self::field_errors::FieldErrors;
use crate::limiter::verdict::Refusal;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Clone, Debug)]
pub enum Error {
    NotFound,
    /// With the API's address that was probably meant.
    UnknownRoute(Option<String>),
    /// With the methods that the address takes, if known.
    MethodNotAllowed(Vec<&'static str>),
    SignInRequired,
    SudoRequired,
    SudoRefused,
    BadToken,
    TokenExpired,
    TokenRevoked,
    TokenReused,
    BadCredentials,
    SecondFactorRequired,
    WrongCode,
    CodeUsed,
    SecondFactorMissing,
    /// With the scope that it lacks.
    InsufficientScope(&'static str),
    /// With the names that are none.
    UnknownScope(String),
    Forbidden(&'static str),
    CrossSite,
    /// With coffer's own address, if it is configured.
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
    /// With a sentence that says what to do.
    WrongState(&'static str),
    /// With a sentence that says what to send.
    PreconditionRequired(&'static str),
    /// With the saved version, as the API shows it.
    VersionConflict {
        version: i64,
        current: Box<serde_json::Value>,
    },
    /// With what has the id, as the API shows it.
    IdInUse {
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
    /// The database went away during a commit: the change may be saved.
    OutcomeUnknown(String),
    Internal(String),
}

impl Error {
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::UnknownRoute(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::SignInRequired
            | Self::BadToken
            | Self::TokenExpired
            | Self::TokenRevoked
            | Self::TokenReused
            | Self::BadCredentials
            | Self::SecondFactorRequired
            | Self::WrongCode
            | Self::CodeUsed => StatusCode::UNAUTHORIZED,
            Self::SudoRequired
            | Self::SecondFactorMissing
            | Self::InsufficientScope(_)
            | Self::Forbidden(_)
            | Self::CrossSite => StatusCode::FORBIDDEN,
            Self::WrongHost(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::LinkOver | Self::CursorExpired => StatusCode::GONE,
            Self::Malformed { .. } | Self::BadQuery { .. } | Self::BadCursor => StatusCode::BAD_REQUEST,
            Self::SudoRefused | Self::UnknownScope(_) | Self::Invalid(_) | Self::IdempotencyKeyReused => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::DuplicateUrl(_)
            | Self::LastAdmin
            | Self::Trashed
            | Self::WrongState(_)
            | Self::IdempotencyKeyInUse => StatusCode::CONFLICT,
            Self::PreconditionRequired(_) => StatusCode::PRECONDITION_REQUIRED,
            Self::VersionConflict { .. } | Self::IdInUse { .. } => StatusCode::PRECONDITION_FAILED,
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
            Self::MethodNotAllowed(_) => Code::MethodNotAllowed,
            Self::SignInRequired => Code::SignInRequired,
            Self::SudoRequired => Code::SudoRequired,
            Self::SudoRefused => Code::SudoRefused,
            Self::BadToken => Code::BadToken,
            Self::TokenExpired => Code::TokenExpired,
            Self::TokenRevoked => Code::TokenRevoked,
            Self::TokenReused => Code::TokenReused,
            Self::BadCredentials => Code::BadCredentials,
            Self::SecondFactorRequired | Self::SecondFactorMissing => Code::SecondFactorRequired,
            Self::WrongCode => Code::WrongCode,
            Self::CodeUsed => Code::CodeUsed,
            Self::InsufficientScope(_) => Code::InsufficientScope,
            Self::UnknownScope(_) => Code::UnknownScope,
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
            Self::WrongState(_) => Code::WrongState,
            Self::PreconditionRequired(_) => Code::PreconditionRequired,
            Self::VersionConflict { .. } | Self::IdInUse { .. } => Code::VersionConflict,
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

    /// Says what to do, and nothing of the inside.
    pub fn message(&self) -> Cow<'static, str> {
        match self {
            Self::NotFound => "This page doesn’t exist, or you don’t have access to it. Check the address.".into(),
            Self::UnknownRoute(Some(near)) => format!("This API address doesn’t exist. Did you mean {near}? See /api/v1/openapi.json for the full list.").into(),
            Self::UnknownRoute(None) => "This API address doesn’t exist. See /api/v1/openapi.json for the full list.".into(),
            Self::MethodNotAllowed(allowed) if !allowed.is_empty() => format!("This address supports {}.", allowed.join(", ")).into(),
            Self::MethodNotAllowed(_) => "This address doesn’t support this method. The Allow header lists the methods it supports.".into(),
            Self::SignInRequired => "Log in to do this.".into(),
            Self::SudoRequired => "Confirm your password at /sudo, then retry within ten minutes.".into(),
            Self::SudoRefused => "That is not correct. Try again.".into(),
            Self::BadToken => "This token is invalid. Check that you copied all of it, or create a new one in the settings, under API tokens.".into(),
            Self::TokenExpired => "This token has expired. Renew an access token at /api/v1/auth/refresh, or create a new personal token in the settings.".into(),
            Self::TokenRevoked => "This token was revoked. Create a new one in the settings, under API tokens, or log in again.".into(),
            Self::TokenReused => "This refresh token has already been used, so it may have been copied. All tokens issued from it are revoked. Log in again.".into(),
            Self::BadCredentials => "Wrong username or password. Check both and try again.".into(),
            Self::SecondFactorRequired => "This account uses two-step login. Send a current code as “code”. Each code works once.".into(),
            Self::WrongCode => "That code is wrong. Wait for the next one and send it as “code”.".into(),
            Self::CodeUsed => "That code has already been used; each code works once. Wait for the next one and send it as “code”.".into(),
            Self::SecondFactorMissing => "This site requires two-step login. Set it up at /settings/security/totp, then retry.".into(),
            Self::InsufficientScope(scope) => format!("This token doesn’t have permission for that. It needs the scope {scope}.").into(),
            Self::UnknownScope(names) => format!("Unknown scope: {names}. The API reference lists all scopes.").into(),
            Self::Forbidden(reason) | Self::WrongState(reason) | Self::PreconditionRequired(reason) => (*reason).into(),
            Self::CrossSite => "This request didn’t come from one of coffer’s own pages, so it was rejected. Open the page again and retry.".into(),
            Self::WrongHost(Some(origin)) => format!("coffer can only be reached at {origin}.").into(),
            Self::WrongHost(None) => "This server doesn’t serve that host name. Its operator sets the address in COFFER_BASE_URL.".into(),
            Self::LinkOver => "This link has been used or has expired. Request a new one.".into(),
            Self::Malformed { message, .. } | Self::BadQuery { message, .. } => message.clone().into(),
            Self::BadCursor => "This cursor is not valid for this list. Start again from the first page.".into(),
            Self::CursorExpired => "This cursor is too old, so some deletions can no longer be reported. Start again without a cursor.".into(),
            Self::Invalid(_) => "Some fields are invalid.".into(),
            Self::DuplicateUrl(_) => "You’ve already saved this link.".into(),
            Self::LastAdmin => "This is the last administrator who can log in. Make someone else an administrator first.".into(),
            Self::Trashed => "This is in the trash. Restore it before changing it.".into(),
            Self::VersionConflict { version, .. } => format!("This was changed in the meantime. The current version is {version}. Read it, then send your change again.").into(),
            Self::IdInUse { version, .. } => format!("You already have an entry with this id. Its current version is {version}. To change it, send PATCH with If-Match.").into(),
            Self::IdempotencyKeyReused => "This Idempotency-Key was already used for a different request. Use a new key for each request.".into(),
            Self::IdempotencyKeyInUse => "The first request with this Idempotency-Key is still being processed. Retry in a few seconds.".into(),
            Self::WrongType { wanted } => format!("Send this as {wanted}.").into(),
            Self::TooLarge { limit } => format!("This is too large. The limit is {}.", size(*limit)).into(),
            Self::TooManyRequests(refusal) => format!("{} Try again in {}.", refusal.message(), refusal.wait()).into(),
            Self::Busy => "coffer is busy right now. Try again in a few seconds.".into(),
            Self::BodyTimedOut => "The request did not arrive completely in time, so nothing was changed. Try again on a better connection.".into(),
            Self::TimedOut => "This took too long. Try again in a few seconds.".into(),
            Self::Unavailable(_) => "The database is unavailable right now. Nothing was changed. Try again in a few seconds.".into(),
            Self::OutcomeUnknown(_) => "The database stopped responding while this was being saved. It may have been saved, so check before you try again.".into(),
            Self::Internal(_) => "Something went wrong on the server. The details are in its log.".into(),
        }
    }

    /// For a request that may have saved something: the message must not say that nothing was changed.
    pub fn after_saving(&self) -> Option<Self> {
        match self {
            Self::Unavailable(reason) => Some(Self::OutcomeUnknown(reason.clone())),
            Self::Busy | Self::TimedOut => Some(Self::OutcomeUnknown(self.code().as_str().to_owned())),
            _ => None,
        }
    }

    pub fn field(name: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let mut errors = FieldErrors::default();
        errors.add(name, message);
        Self::Invalid(errors)
    }
}

fn size(bytes: usize) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) }
}
