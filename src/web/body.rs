//! Bodies, read whole and within a limit; and whether it is the client who is late with one.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Frame, SizeHint};

use crate::error::{Code, Error, Result};
use crate::file_buffer::file_buffer;

/// At most `limit` bytes: a longer announced length fails at once. 400 `bad_body` when the body breaks off.
pub async fn read(body: Body, limit: usize) -> Result<Bytes> {
    fits(&body, limit)?;
    to_bytes(body, limit).await.map_err(|error| unreadable(&error.into_inner(), limit))
}

/// The same for a file, which is in memory once, as each part of it is freed when it is copied.
pub async fn read_file(body: Body, limit: usize) -> Result<Bytes> {
    fits(&body, limit)?;
    let mut file = file_buffer(0);
    let mut parts = Limited::new(body, limit);
    while let Some(part) = parts.frame().await {
        let part = part.map_err(|error| unreadable(&error, limit))?;
        file.extend_from_slice(&part.into_data().unwrap_or_default());
    }
    Ok(file.into())
}

/// Nothing here is unpacked.
///
/// # Errors
/// 415 for a body that is compressed.
pub fn check_encoding(headers: &HeaderMap) -> Result<()> {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let is_plain =
        |encoding: &HeaderValue| encoding.is_empty() || encoding.as_bytes().eq_ignore_ascii_case(b"identity");
    if encodings.all(is_plain) {
        Ok(())
    } else {
        Err(Error::WrongType { wanted: "it is, without Content-Encoding" })
    }
}

fn unreadable(error: &BoxError, limit: usize) -> Error {
    if error.is::<LengthLimitError>() {
        return Error::TooLarge { limit };
    }
    Error::Malformed {
        code: Code::BadBody,
        message: "The body of this request is incomplete or can’t be read. Send it again.".into(),
    }
}

/// Fails when the body is announced to be longer than `limit` bytes.
pub fn fits(body: &Body, limit: usize) -> Result<()> {
    let fits = body.size_hint().lower() <= limit as u64;
    fits.then_some(()).ok_or(Error::TooLarge { limit })
}

/// Whether a handler waits for more of a request's body.
#[derive(Clone, Debug, Default)]
pub struct Awaited(Arc<AtomicBool>);

impl Awaited {
    #[must_use]
    pub fn watch(&self, request: Request) -> Request {
        if request.body().is_end_stream() {
            return request;
        }
        request.map(|body| Body::new(Arriving { body, awaited: self.clone() }))
    }

    /// Whether what is read of the body was all that had arrived.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

struct Arriving {
    body: Body,
    awaited: Awaited,
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.awaited.0.store(frame.is_pending(), Ordering::Relaxed);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
