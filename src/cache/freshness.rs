//! How long time alone lets an entry live, and when a read refreshes it early.

use std::time::Duration;

/// The last resort: a write invalidates what it touches at once.
#[derive(Clone, Copy, Debug)]
pub struct Ttl {
    /// After this, an entry is loaded again before it is served.
    pub soft: Duration,
    /// Until this, a stale entry is served when the load fails.
    pub hard: Duration,
}

/// For what does not exist: cheap to look up again, and perhaps created soon.
pub const NEGATIVE: Ttl = Ttl { soft: Duration::from_secs(5), hard: Duration::from_secs(5) };

impl Ttl {
    /// Varies by up to ten per cent, so that entries filled together don't expire together.
    pub fn jittered(self, random: u64) -> Self {
        let share = 0.9 + 0.2 * unit(random);
        Self { soft: self.soft.mul_f64(share), hard: self.hard.mul_f64(share) }
    }
}

/// Whether to load before the expiry. The longer the load and the nearer the expiry, the likelier; on average one
/// reader loads in time (with β = 1: Vattani et al. 2015, "Optimal probabilistic cache stampede prevention").
pub fn is_early(left: i64, load_us: u32, random: impl FnOnce() -> u64) -> bool {
    // -ln of the smallest value of `unit` is below 44, so most calls need no random number.
    left < i64::from(load_us) * 44
        && Duration::from_micros(left.max(0).unsigned_abs()).as_secs_f64()
            <= -Duration::from_micros(load_us.into()).as_secs_f64() * unit(random()).ln()
}

/// In (0, 1].
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
        let share = |left, load_us| (0..1000_u64).filter(|n| is_early(left, load_us, || n << 54)).count();
        let second = 1_000_000;
        assert_eq!(share(60_000_000, second), 0);
        assert!((300..450).contains(&share(1_000_000, second)), "e^-1 of all");
        assert_eq!(share(0, second), 1000);
        assert_eq!(share(1_000_000, 50), 0);
    }
}
