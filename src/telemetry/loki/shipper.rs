//! Drives the pairs of tracing-loki: one takes lines while the one before it sends what it has.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::pair::{End, Layer, Target, Task};
use super::{Fill, Guard, Reason};

/// How often a task is polled.
pub(super) const TICK: Duration = Duration::from_millis(50);
/// After this long another pair takes over, and tries Loki at once.
const LIFE: Duration = Duration::from_secs(10);
/// How long the pair before it may take for its remaining lines.
const GRACE: Duration = Duration::from_secs(5);
/// The exit waits no longer for Loki; with everything else it takes less than three seconds.
const FLUSH: Duration = Duration::from_millis(2_500);

pub struct Shipper {
    stop: oneshot::Sender<()>,
    sending: JoinHandle<()>,
}

impl Shipper {
    pub fn start(guard: Arc<Guard>, url: &str, environment: &str) -> Result<Self, String> {
        let mut sending = Sending::new(guard, Target::new(url, environment)?)?;
        let (stop, stopped) = oneshot::channel();
        let sending = tokio::spawn(async move {
            tokio::select! {
                () = sending.run() => {}
                _ = stopped => {}
            }
            sending.flush().await;
        });
        Ok(Self { stop, sending })
    }

    /// Sends the waiting lines, for `FLUSH` at most.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.sending.await;
    }
}

struct Sending {
    guard: Arc<Guard>,
    target: Target,
    /// The last one takes lines.
    pairs: Vec<Pair>,
    /// When the last one was first seen with lines.
    began: Option<Instant>,
    is_failing: bool,
}

struct Pair {
    task: Task,
    lines: usize,
    /// Set once it takes no more lines.
    until: Option<Instant>,
}

impl Pair {
    const fn new(task: Task) -> Self {
        Self { task, lines: 0, until: None }
    }

    fn retire(&mut self, lines: usize, within: Duration) {
        self.lines = lines;
        self.until = Some(Instant::now() + within);
    }

    fn step(&mut self) -> Option<End> {
        if self.until.is_some() {
            self.task.end();
        }
        let is_late = self.until.is_some_and(|until| Instant::now() >= until);
        self.task.step().or(is_late.then_some(End::Failed))
    }
}

impl Sending {
    fn new(guard: Arc<Guard>, target: Target) -> Result<Self, String> {
        let (layer, task) = target.pair().map_err(|e| e.to_string())?;
        guard.replace(Some(layer));
        Ok(Self { guard, target, pairs: vec![Pair::new(task)], began: None, is_failing: false })
    }

    async fn run(&mut self) {
        let mut ticks = ticks();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.guard.is_filling.notified() => {}
            }
            let fill = self.guard.fill();
            if fill.lines > 0 || self.pairs.len() > 1 {
                self.step(Reason::Unconfirmed);
                self.guard.drained(fill.in_channel);
                self.take_turns(fill);
            }
        }
    }

    fn step(&mut self, reason: Reason) {
        for mut pair in std::mem::take(&mut self.pairs) {
            match pair.step() {
                None => self.pairs.push(pair),
                Some(End::Sent) => self.is_failing = false,
                Some(End::Failed) => self.give_up(&pair, reason),
            }
        }
    }

    fn give_up(&mut self, pair: &Pair, reason: Reason) {
        self.guard.count(reason, pair.lines);
        if pair.lines > 0 && !std::mem::replace(&mut self.is_failing, true) {
            let (count, error) = (pair.lines, &pair.task.error);
            tracing::warn!(
                event = "loki_failed",
                count,
                error,
                "Loki may lack log lines; standard output has them"
            );
        }
    }

    /// Starts the next pair once this one has enough lines and the one before it is done.
    fn take_turns(&mut self, fill: Fill) {
        if fill.lines > 0 {
            self.began.get_or_insert_with(Instant::now);
        }
        let is_old = self.began.is_some_and(|began| began.elapsed() >= LIFE);
        if self.pairs.len() > 1 || !(is_old || fill.is_filling()) {
            return;
        }
        let Ok((layer, task)) = self.target.pair() else { return };
        self.retire(Some(layer), GRACE);
        self.pairs.push(Pair::new(task));
        self.began = None;
    }

    fn retire(&mut self, next: Option<Layer>, within: Duration) {
        if let Some(intake) = self.guard.replace(next)
            && let Some(pair) = self.pairs.last_mut()
        {
            pair.retire(intake.fill.lines, within);
        }
    }

    async fn flush(mut self) {
        self.retire(None, FLUSH);
        let until = Instant::now() + FLUSH;
        for pair in &mut self.pairs {
            pair.until = pair.until.min(Some(until));
        }
        let mut ticks = ticks();
        while !self.pairs.is_empty() {
            ticks.tick().await;
            self.step(Reason::Stopping);
        }
    }
}

fn ticks() -> Interval {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
