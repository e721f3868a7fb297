//! A body that a thread writes while it is sent.

use std::io::{self, BufWriter, Write};

use axum::body::{Body, Bytes};
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

const CHUNK: usize = 64 << 10;
/// Chunks that may wait for a slow client.
const WAITING: usize = 4;

type Sender = mpsc::Sender<io::Result<Bytes>>;

/// A body of what `write` writes. If it fails, the connection ends early, so that clients notice the missing part.
pub fn body(write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static) -> Body {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(WAITING);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = send(&sender, write) {
            tracing::error!(event = "export_failed", %error, "an export ended early");
            let _ = sender.blocking_send(Err(error));
        }
    });
    Body::from_stream(ReceiverStream::new(receiver).fuse())
}

/// That the client went away, or wanted the headers alone, is no failure, whatever the writer makes of it.
fn send(sender: &Sender, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(CHUNK, Chunks(sender.clone()));
    let written = write(&mut out).and_then(|()| out.flush());
    if sender.is_closed() { Ok(()) } else { written }
}

struct Chunks(Sender);

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the exports do, which hide what went wrong below them.
    fn write(out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, &"x".repeat(10 * CHUNK)).map_err(io::Error::other)
    }

    #[test]
    fn only_what_failed_here_is_a_failure() {
        let (sender, receiver) = mpsc::channel(WAITING);
        drop(receiver);
        assert!(send(&sender, write).is_ok(), "the client went away");
        let (sender, _receiver) = mpsc::channel(WAITING);
        let failed = send(&sender, |_| Err(io::Error::other("the database is gone")));
        assert!(failed.is_err());
    }
}
