//! Copies of the log lines for Loki: tracing-loki sends them, and this bounds its memory.
//!
//! Logging never waits for Loki. Lines that it may not have are counted; standard output has them all.

mod pair;
mod shipper;

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tracing::{Event, Subscriber as _};

use self::pair::Layer;
pub use self::pair::check;
pub use self::shipper::Shipper;

/// Lines that a pair of layer and task takes before the next pair follows. There are two pairs at most.
const PAIR_LINES: usize = 5_000;
const PAIR_BYTES: usize = 1 << 20;
/// Bytes that tracing-loki needs for a line besides its text.
const OVERHEAD: usize = 256;
/// In bytes, by Loki's default for a line.
const LONGEST: usize = 256 << 10;
/// Lines that tracing-loki's channel holds; it drops others silently.
const CHANNEL: usize = 512;

/// Why a line was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    QueueFull,
    TooLarge,
    /// Loki answered with an error, or not at all, until the lines were given up. It may have some of them.
    Unconfirmed,
    /// coffer stopped before Loki answered.
    Stopping,
}

pub const REASONS: [&str; 4] = ["queue_full", "too_large", "unconfirmed", "stopping"];

/// Takes the log's events for Loki, and counts the lines that are dropped.
#[derive(Default)]
pub struct Guard {
    intake: Mutex<Option<Intake>>,
    is_filling: Notify,
    dropped: [AtomicU64; 4],
}

/// The layer that takes lines now.
struct Intake {
    layer: Layer,
    fill: Fill,
}

#[derive(Clone, Copy, Default)]
struct Fill {
    lines: usize,
    bytes: usize,
    in_channel: usize,
}

impl Fill {
    const fn is_full(self) -> bool {
        self.lines >= PAIR_LINES || self.bytes >= PAIR_BYTES
    }

    /// Whether the next pair should take over, so that no line meets a full one.
    const fn is_filling(self) -> bool {
        self.lines >= PAIR_LINES / 2 || self.bytes >= PAIR_BYTES / 2
    }
}

impl Guard {
    pub fn dropped(&self) -> [(&'static str, u64); 4] {
        std::array::from_fn(|place| (REASONS[place], self.dropped[place].load(Ordering::Relaxed)))
    }

    #[cfg(feature = "test-internals")]
    pub fn dropped_for(&self, reason: Reason) -> u64 {
        self.dropped[reason as usize].load(Ordering::Relaxed)
    }

    fn count(&self, reason: Reason, lines: usize) {
        let lines = u64::try_from(lines).unwrap_or(u64::MAX);
        self.dropped[reason as usize].fetch_add(lines, Ordering::Relaxed);
    }

    /// `bytes`: the length of the event's line.
    pub fn send(&self, event: &Event<'_>, bytes: usize) {
        if let Err(reason) = self.take(event, bytes) {
            self.count(reason, 1);
        }
    }

    fn take(&self, event: &Event<'_>, bytes: usize) -> Result<(), Reason> {
        if bytes > LONGEST {
            return Err(Reason::TooLarge);
        }
        let mut intake = self.intake.lock();
        let Intake { layer, fill } = intake.as_mut().ok_or(Reason::Stopping)?;
        if fill.is_full() || fill.in_channel == CHANNEL {
            return Err(Reason::QueueFull);
        }
        layer.event(event);
        fill.lines += 1;
        fill.bytes += bytes + OVERHEAD;
        fill.in_channel += 1;
        if fill.in_channel >= CHANNEL / 2 || fill.is_filling() {
            self.is_filling.notify_one();
        }
        Ok(())
    }

    fn fill(&self) -> Fill {
        self.intake.lock().as_ref().map(|intake| intake.fill).unwrap_or_default()
    }

    fn drained(&self, lines: usize) {
        if let Some(intake) = self.intake.lock().as_mut() {
            intake.fill.in_channel -= lines;
        }
    }

    fn replace(&self, layer: Option<Layer>) -> Option<Intake> {
        let next = layer.map(|layer| Intake { layer, fill: Fill::default() });
        std::mem::replace(&mut self.intake.lock(), next)
    }
}
