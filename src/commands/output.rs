//! Standard output of the commands.

use std::fmt::Display;
use std::io::{self, ErrorKind, Stdout, Write};

/// A reader that has seen enough, as `head` has, is no failure.
pub struct Output(Stdout);

impl Output {
    pub fn standard() -> Self {
        Self(io::stdout())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        or_unread(self.0.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        or_unread(self.0.flush(), ())
    }
}

fn or_unread<T>(result: io::Result<T>, unread: T) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(unread),
        result => result,
    }
}

/// # Errors
/// A sentence when it can't be written, as on a full disk.
pub fn print(text: impl Display) -> Result<(), String> {
    let mut out = Output::standard();
    write!(out, "{text}").and_then(|()| out.flush()).map_err(|e| format!("Cannot print: {e}."))
}
