//! A connection's two ends as hyper sees them, with what they tell of its progress: the socket, and answers' bodies.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::progress::{InFlight, Progress};

/// HTTP/2 holds at most so much of an answer that its client has not made room for.
const PART: usize = 16 << 10;

pub struct Socket {
    pub stream: TcpStream,
    pub progress: Arc<Progress>,
}

impl Socket {
    fn told<T>(&self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match &written {
            Poll::Pending => self.progress.is_blocked(),
            Poll::Ready(_) => self.progress.wrote(),
        }
        written
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Else the system would keep what nobody reads.
        if self.progress.is_given_up() {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.told(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.told(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The body of an answer, which the request is in flight with.
pub struct Answer {
    body: Body,
    in_flight: InFlight,
    /// Whether it goes out in parts of at most [`PART`].
    in_parts: bool,
    /// What is left of a part that was larger.
    rest: Bytes,
}

impl Answer {
    pub fn new(body: Body, in_flight: InFlight, in_parts: bool) -> Self {
        Self { body, in_flight, in_parts, rest: Bytes::new() }
    }

    fn part(&mut self, mut bytes: Bytes) -> Frame<Bytes> {
        if self.in_parts && bytes.len() > PART {
            self.rest = bytes.split_off(PART);
        }
        Frame::data(bytes)
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        this.in_flight.moves();
        if !this.rest.is_empty() {
            let rest = std::mem::take(&mut this.rest);
            return Poll::Ready(Some(Ok(this.part(rest))));
        }
        Pin::new(&mut this.body).poll_frame(context).map_ok(|frame| match frame.into_data() {
            Ok(bytes) => this.part(bytes),
            Err(other) => other,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}
