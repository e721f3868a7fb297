//! A client that costs little: one connection, requests as bytes, answers only counted.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub struct KeepAlive {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back: the status, and the body's length.
pub struct Answer {
    pub status: u16,
    pub took: Duration,
}

impl KeepAlive {
    pub async fn connect(authority: &str) -> Self {
        let stream =
            TcpStream::connect(authority.replace("localhost", "127.0.0.1")).await.expect("it listens");
        stream.set_nodelay(true).expect("a setting");
        Self { stream, buffer: Vec::with_capacity(64 << 10) }
    }

    pub async fn ask(&mut self, request: &[u8]) -> std::io::Result<Answer> {
        let began = Instant::now();
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (head, status, length) = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(head) = self.buffer.windows(4).position(|end| end == b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
                let status = text.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
                let length =
                    text.split("\r\n").find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                break (head + 4, status, length.unwrap_or(0));
            }
        };
        while self.buffer.len() < head + length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(Answer { status, took: began.elapsed() })
    }

    /// The body of the last answer.
    pub fn body(&self) -> &[u8] {
        let head = self.buffer.windows(4).position(|end| end == b"\r\n\r\n").map_or(0, |head| head + 4);
        &self.buffer[head..]
    }
}

/// `GET path` with these header lines.
pub fn get(authority: &str, path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\n{headers}\r\n").into_bytes()
}
