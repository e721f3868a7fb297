//! What the errors of libraries and of the limiter mean here.

use super::Error;
use crate::limiter::verdict::Refusal;

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
