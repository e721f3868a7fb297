//! The socket and the bodies of answers, which record a connection's progress for hyper's both ends.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::progress::{InFlight, Progress};

/// HTTP/2 buffers at most this much of an answer that its client can't take yet.
const MAX_CHUNK: usize = 16 << 10;

pub struct Socket {
    pub stream: TcpStream,
    pub progress: Arc<Progress>,
}

impl Socket {
    fn recorded<T>(&self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match &written {
            Poll::Pending => self.progress.record_block(),
            Poll::Ready(_) => self.progress.record_write(),
        }
        written
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Otherwise the kernel would keep data that the client never reads.
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
        self.recorded(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.recorded(written)
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

/// A request is in flight until its body is dropped.
pub struct AnswerBody {
    body: Body,
    in_flight: InFlight,
    /// Whether it is sent in chunks of at most [`MAX_CHUNK`].
    in_chunks: bool,
    /// The rest of a larger chunk.
    rest: Bytes,
}

impl AnswerBody {
    pub fn new(body: Body, in_flight: InFlight, in_chunks: bool) -> Self {
        Self { body, in_flight, in_chunks, rest: Bytes::new() }
    }

    fn chunk(&mut self, mut bytes: Bytes) -> Frame<Bytes> {
        if self.in_chunks && bytes.len() > MAX_CHUNK {
            self.rest = bytes.split_off(MAX_CHUNK);
        }
        Frame::data(bytes)
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        this.in_flight.record_progress();
        if !this.rest.is_empty() {
            let rest = std::mem::take(&mut this.rest);
            return Poll::Ready(Some(Ok(this.chunk(rest))));
        }
        Pin::new(&mut this.body).poll_frame(context).map_ok(|frame| match frame.into_data() {
            Ok(bytes) => this.chunk(bytes),
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
