//! Copies of the log lines for Loki: a queue of bounded bytes, and one task that sends it in batches.
//!
//! Logging never waits for Loki. When Loki does not take what comes, the oldest lines are dropped and counted; they
//! are all on the standard output.

mod push;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Level;

use self::push::{Answer, Push};
use super::line;
use crate::context::Context;
use crate::db::Timestamp;

/// Bytes that may wait; what a line needs besides its text is counted with it.
const CAPACITY: usize = 2 << 20;
const OVERHEAD: usize = 64;
const BATCH: usize = 512 << 10;
const BATCH_EVERY: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// The exit waits no longer for Loki; with everything else it takes less than three seconds.
const FLUSH: Duration = Duration::from_millis(2_500);

/// Why lines were not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Loki took less than came.
    QueueFull,
    /// Loki will not have them, whatever is done.
    Refused,
    /// A single line that is larger than Loki allows.
    TooLarge,
    /// coffer stopped before Loki answered.
    Stopping,
}

pub const REASONS: [&str; 4] = ["queue_full", "refused", "too_large", "stopping"];
#[derive(Clone, Debug)]
struct Line {
    level: &'static str,
    at: Timestamp,
    text: Box<str>,
}

impl Line {
    fn size(&self) -> usize {
        self.text.len() + OVERHEAD
    }
}

/// What waits to be sent.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    batch_is_full: Notify,
    dropped: [AtomicU64; 4],
}

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<Line>,
    bytes: usize,
}

impl Queue {
    /// How many lines were dropped, by reason.
    #[must_use]
    pub fn dropped(&self) -> [(&'static str, u64); 4] {
        std::array::from_fn(|place| (REASONS[place], self.dropped[place].load(Ordering::Relaxed)))
    }

    #[must_use]
    pub fn dropped_for(&self, reason: Reason) -> u64 {
        self.dropped[reason as usize].load(Ordering::Relaxed)
    }

    fn count(&self, reason: Reason, lines: usize) {
        let lines = u64::try_from(lines).unwrap_or(u64::MAX);
        self.dropped[reason as usize].fetch_add(lines, Ordering::Relaxed);
    }

    pub fn push(&self, level: Level, at: Timestamp, text: &str) {
        let line = Line { level: line::level(level), at, text: text.into() };
        let mut waiting = self.lock();
        let mut dropped = 0;
        while waiting.bytes + line.size() > CAPACITY && waiting.take_first().is_some() {
            dropped += 1;
        }
        waiting.bytes += line.size();
        waiting.lines.push_back(line);
        let full = waiting.bytes >= BATCH;
        drop(waiting);
        if dropped > 0 {
            self.count(Reason::QueueFull, dropped);
        }
        if full {
            self.batch_is_full.notify_one();
        }
    }

    fn take_batch(&self) -> Vec<Line> {
        let mut waiting = self.lock();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(first) = waiting.lines.front() {
            if bytes > 0 && bytes + first.size() > BATCH {
                break;
            }
            bytes += first.size();
            batch.extend(waiting.take_first());
        }
        batch
    }

    fn has_batch(&self) -> bool {
        self.lock().bytes >= BATCH
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn take_first(&mut self) -> Option<Line> {
        let first = self.lines.pop_front()?;
        self.bytes -= first.size();
        Some(first)
    }
}

/// Whether this is an address that lines can be sent to.
///
/// # Errors
/// A sentence that says what to give.
pub fn check(url: &str) -> Result<(), String> {
    Push::new(url, "").map(drop)
}

/// The task that sends; it is told to stop before the program ends.
pub struct Shipper {
    stop: oneshot::Sender<()>,
    sending: JoinHandle<()>,
}

impl Shipper {
    /// # Errors
    /// A sentence, when the address can't be used.
    pub fn start(queue: Arc<Queue>, url: &str, environment: &str, context: Context) -> Result<Self, String> {
        let push = Push::new(url, environment)?;
        let (stop, told) = oneshot::channel();
        let sending = tokio::spawn(Sending { queue, push, context, told }.run());
        Ok(Self { stop, sending })
    }

    /// Sends what waits, within the time that the exit has for it.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.sending.await;
    }
}

struct Sending {
    queue: Arc<Queue>,
    push: Push,
    context: Context,
    told: oneshot::Receiver<()>,
}

impl Sending {
    async fn run(mut self) {
        loop {
            let stopping = tokio::select! {
                _ = &mut self.told => true,
                _ = timeout(BATCH_EVERY, self.queue.batch_is_full.notified()) => false,
            };
            if stopping {
                return self.flush(Vec::new()).await;
            }
            loop {
                let mut batch = self.queue.take_batch();
                if !batch.is_empty() && self.deliver(&mut batch).await {
                    return self.flush(batch).await;
                }
                if !self.queue.has_batch() {
                    break;
                }
            }
        }
    }

    /// Sends a batch again and again until it is settled; whether it was told to stop before that.
    async fn deliver(&mut self, batch: &mut Vec<Line>) -> bool {
        let mut pause = FIRST_PAUSE;
        loop {
            let answer = tokio::select! {
                _ = &mut self.told => return true,
                answer = self.push.send(batch, &self.queue) => answer,
            };
            if answer == Answer::Settled {
                batch.clear();
                return false;
            }
            let [random] = self.context.random::<1>();
            tokio::select! {
                _ = &mut self.told => return true,
                () = wait(pause, random) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn flush(self, mut unsent: Vec<Line>) {
        let until = Instant::now() + FLUSH;
        loop {
            if unsent.is_empty() {
                unsent = self.queue.take_batch();
            }
            if unsent.is_empty() {
                return;
            }
            match timeout_at(until, self.push.send(&unsent, &self.queue)).await {
                Ok(Answer::Settled) => unsent.clear(),
                Ok(Answer::Later) | Err(_) => break,
            }
        }
        let waiting = self.queue.lock().lines.len();
        self.queue.count(Reason::Stopping, unsent.len() + waiting);
    }
}

/// Between half of the pause and all of it, so that nodes don't come back together.
#[expect(clippy::disallowed_methods, reason = "trying again at once would only fail again")]
async fn wait(pause: Duration, random: u8) {
    tokio::time::sleep(pause / 2 + pause * u32::from(random) / 512).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_bounded_and_drops_the_oldest() {
        let queue = Queue::default();
        let at = Timestamp::from_micros(0);
        for n in 0..40_000 {
            queue.push(Level::INFO, at, &format!("{n} {}", "x".repeat(100)));
        }
        assert!(queue.lock().bytes <= CAPACITY);
        let batch = queue.take_batch();
        assert!(batch.iter().map(Line::size).sum::<usize>() <= BATCH);
        assert!(!batch[0].text.starts_with("0 "), "the oldest went first");
        let last = queue.lock().lines.back().unwrap().text.clone();
        assert!(last.starts_with("39999 "), "the latest is kept");
        assert!(queue.dropped_for(Reason::QueueFull) > 0);
    }

    #[test]
    fn a_line_that_is_larger_than_a_batch_goes_alone() {
        let queue = Queue::default();
        queue.push(Level::INFO, Timestamp::from_micros(0), &"x".repeat(BATCH + 1));
        queue.push(Level::INFO, Timestamp::from_micros(0), "next");
        assert_eq!((queue.take_batch().len(), queue.take_batch().len()), (1, 1));
    }
}
