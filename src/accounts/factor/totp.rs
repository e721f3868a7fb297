//! Codes of an authenticator app: TOTP with SHA-1, six digits and thirty seconds (RFC 6238), which is what every app reads.

use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use subtle::ConstantTimeEq as _;

use crate::timestamp::Timestamp;

const STEP_MICROS: i64 = 30_000_000;
pub const DIGITS: usize = 6;

/// The step that a typed code belongs to: the current one or a neighbour, as clocks differ, but one after `used`.
#[must_use]
pub fn step_of(secret: &[u8], typed: &str, now: Timestamp, used: Option<i64>) -> Option<i64> {
    let current = now.micros().div_euclid(STEP_MICROS);
    let fresh = (current - 1..=current + 1).filter(|step| used.is_none_or(|used| *step > used));
    fresh.into_iter().find(|step| bool::from(code(secret, *step).as_bytes().ct_eq(typed.as_bytes())))
}

fn code(secret: &[u8], step: i64) -> String {
    let tag = sign(&Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret), &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[tag.len() - 1] & 0x0f);
    let number = tag[offset..offset + 4].iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238 appendix B, the last six of its eight digits.
        for (seconds, wanted) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(code(b"12345678901234567890", seconds / 30), wanted);
        }
    }

    #[test]
    fn a_neighbouring_step_will_do_once() {
        let secret = b"12345678901234567890";
        let now = Timestamp::from_micros(1_234_567_890 * 1_000_000);
        let current = 1_234_567_890 / 30;
        for (step, found) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let step = current + step;
            assert_eq!(step_of(secret, &code(secret, step), now, None), found.then_some(step));
            assert_eq!(step_of(secret, &code(secret, step), now, Some(step)), None);
        }
        assert_eq!(step_of(secret, "", now, None), None);
    }
}
