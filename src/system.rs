//! The clock and the randomness of the system: everything else gets them passed in.

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use rand::Rng as _;
use uuid::Uuid;

use crate::timestamp::Timestamp;

pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;

    /// Microseconds of a monotonic clock, for durations; it goes on while the process is stopped.
    fn ticks(&self) -> i64 {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        i64::try_from(START.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

pub trait Entropy: Send + Sync + 'static {
    fn fill(&self, bytes: &mut [u8]);
}

/// Cheap to clone.
#[derive(Clone)]
pub struct System {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl System {
    pub fn real() -> Self {
        Self { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn ticks(&self) -> i64 {
        self.clock.ticks()
    }

    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// A new `UUIDv7`, which sorts by time: also within a millisecond, whose fraction it has (RFC 9562, 6.2, method 3).
    pub fn new_id(&self) -> Uuid {
        let micros = u64::try_from(self.now().micros()).unwrap_or(0);
        let fraction = u16::try_from(micros % 1000 * 4096 / 1000).unwrap_or(0);
        let mut rest: [u8; 10] = self.random();
        rest[..2].copy_from_slice(&fraction.to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(micros / 1000, &rest).into_uuid()
    }
}

impl std::fmt::Debug for System {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("System")
    }
}

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from(time::OffsetDateTime::now_utc())
    }
}

struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for randomness")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct At(i64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0)
        }
    }

    #[test]
    fn ids_sort_by_the_microsecond() {
        let id = |micros| System { clock: Arc::new(At(micros)), ..System::real() }.new_id();
        let start = 1_700_000_000_000_000;
        for micros in start..start + 2_000 {
            assert!(id(micros) < id(micros + 1), "{micros}");
        }
        assert_eq!(id(start).get_version_num(), 7);
    }
}
