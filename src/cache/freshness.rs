//! How long an answer is good by time alone, and when it is worth asking again before that.

use std::time::Duration;

/// Time is the last resort: writes invalidate at once whatever they touch.
#[derive(Clone, Copy, Debug)]
pub struct Ttl {
    /// After this it is loaded anew before it is served.
    pub soft: Duration,
    /// Until this it may be served, marked as stale, when it can't be loaded anew.
    pub hard: Duration,
}

/// "Not there" is cheap to find out again, and whoever asks for it may be about to make it.
pub const NEGATIVE: Ttl = Ttl { soft: Duration::from_secs(5), hard: Duration::from_secs(5) };

impl Ttl {
    /// Ten per cent more or less, so that what was filled together does not expire together.
    #[must_use]
    pub fn jittered(self, random: u64) -> Self {
        let share = 0.9 + 0.2 * unit(random);
        Self { soft: self.soft.mul_f64(share), hard: self.hard.mul_f64(share) }
    }
}

/// Whether to load early, the likelier the dearer the load and the nearer the end (Vattani et al. 2015, "Optimal
/// probabilistic cache stampede prevention", with β = 1): on average one request in time, and no herd. In microseconds.
#[must_use]
pub fn is_early(left: i64, cost: u32, random: impl FnOnce() -> u64) -> bool {
    // -ln of the smallest number that `unit` gives is below 44; most answers are far from their end.
    left < i64::from(cost) * 44
        && Duration::from_micros(left.max(0).unsigned_abs()).as_secs_f64()
            <= -Duration::from_micros(cost.into()).as_secs_f64() * unit(random()).ln()
}

/// Above 0, at most 1.
fn unit(random: u64) -> f64 {
    let high = u32::try_from(random >> 32).unwrap_or(0);
    (f64::from(high) + 1.0) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn jitter_stays_within_ten_per_cent() {
        let ttl = Ttl { soft: MINUTE, hard: MINUTE * 10 };
        for random in [0, 1 << 40, u64::MAX / 2, u64::MAX] {
            let soft = ttl.jittered(random).soft.as_secs_f64();
            assert!((54.0..=66.0).contains(&soft), "{soft}");
        }
    }

    #[test]
    fn a_dear_load_is_begun_early_and_a_cheap_one_late() {
        let share = |left, cost| (0..1000_u64).filter(|n| is_early(left, cost, || n << 54)).count();
        let second = 1_000_000;
        assert_eq!(share(60_000_000, second), 0);
        assert!((300..450).contains(&share(1_000_000, second)), "e^-1 of all");
        assert_eq!(share(0, second), 1000);
        assert_eq!(share(1_000_000, 50), 0);
    }
}
