//! Bodies, read whole and within a limit.

use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use http_body_util::LengthLimitError;

use crate::error::{Error, Result};

/// The whole body of at most `limit` bytes; one that is announced to be longer is not waited for.
///
/// # Errors
/// [`Error::TooLarge`], or 400 `bad_body` when it breaks off.
pub async fn read(body: Body, limit: usize) -> Result<Bytes> {
    fits(&body, limit)?;
    to_bytes(body, limit).await.map_err(|error| {
        if error.into_inner().is::<LengthLimitError>() {
            Error::TooLarge { limit }
        } else {
            Error::Malformed {
                code: "bad_body",
                message: "The body of this request breaks off or can't be read. Send it again.".into(),
            }
        }
    })
}

/// # Errors
/// [`Error::TooLarge`] when the body is announced to be longer than `limit` bytes.
pub fn fits(body: &Body, limit: usize) -> Result<()> {
    let fits = body.size_hint().lower() <= limit as u64;
    fits.then_some(()).ok_or(Error::TooLarge { limit })
}
