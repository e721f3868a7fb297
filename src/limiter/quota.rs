//! How settings write quotas: `300/min burst 100`, `5 then 1s to 15min`, `shadow 60/min`, `off`.

use std::fmt;
use std::str::FromStr;

use super::gcra::{Micros, Quota};
use super::policy::Rule;

const SECOND: Micros = 1_000_000;
const UNITS: [(&str, Micros); 4] =
    [("d", 24 * 3600 * SECOND), ("h", 3600 * SECOND), ("min", 60 * SECOND), ("s", SECOND)];
/// Limits remember no client for longer: only today's and yesterday's ids are read.
const LONGEST: Micros = 24 * 3600 * SECOND;

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "off" {
            return Ok(Self { quota: None, shadow: false });
        }
        let (shadow, quota) = text.strip_prefix("shadow ").map_or((false, text), |rest| (true, rest));
        let quota = quota.parse().map_err(|()| {
            format!("“{text}” is not a valid limit. Use for example 300/min, 300/min burst 100, 5 then 1s to 15min, or off; put shadow in front to count without blocking. A limit must reset within a day")
        })?;
        Ok(Self { quota: Some(quota), shadow })
    }
}

impl FromStr for Quota {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let quota = match *words.as_slice() {
            [pace] => rate(pace, None),
            [pace, "burst", burst] => rate(pace, Some(number(burst)?)),
            [free, "then", first, "to", longest] => {
                let (free, first, longest) = (number(free)?, span(first)?, span(longest)?);
                (first <= longest).then_some(Self::Backoff { free, first, longest })
            }
            ["once", "in", period] => Some(Self::Mark { period: span(period)? }),
            _ => None,
        };
        quota.filter(|quota| quota.memory() <= LONGEST).ok_or(())
    }
}

fn rate(pace: &str, burst: Option<u32>) -> Option<Quota> {
    let (count, period) = pace.split_once('/')?;
    let count = number(count).ok()?;
    let period = span(period).ok()?;
    Some(Quota::Rate { burst: burst.unwrap_or(count), count, period })
}

/// Such as `15min` or `h`.
fn span(text: &str) -> Result<Micros, ()> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (count, unit) = text.split_at(digits);
    let (_, micros) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or(())?;
    let count = if count.is_empty() { 1 } else { number(count)? };
    Ok(u64::from(count) * micros)
}

fn number(text: &str) -> Result<u32, ()> {
    text.parse().ok().filter(|number| (1..=10_000_000).contains(number)).ok_or(())
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.quota {
            None => f.write_str("off"),
            Some(quota) if self.shadow => write!(f, "shadow {quota}"),
            Some(quota) => quota.fmt(f),
        }
    }
}

impl Rule {
    /// For people: `300 per minute, 100 at once`.
    pub fn words(self) -> String {
        match self.quota {
            None => "No limit".to_owned(),
            Some(Quota::Rate { burst, count, period }) => {
                let at_once = if burst == count { String::new() } else { format!(", {burst} at once") };
                format!("{count} per {}{at_once}", span_words(period).trim_start_matches("1 "))
            }
            Some(Quota::Backoff { free, first, longest }) => {
                format!(
                    "{free}, then a wait that doubles from {} to {}",
                    span_words(first),
                    span_words(longest)
                )
            }
            Some(Quota::Mark { period }) => format!("Remembered for {}", span_words(period)),
        }
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Rate { burst, count, period } => {
                let one = written(period);
                write!(
                    f,
                    "{count}/{}",
                    one.strip_prefix('1').filter(|unit| !starts_with_digit(unit)).unwrap_or(&one)
                )?;
                if burst == count { Ok(()) } else { write!(f, " burst {burst}") }
            }
            Self::Backoff { free, first, longest } => {
                write!(f, "{free} then {} to {}", written(first), written(longest))
            }
            Self::Mark { period } => write!(f, "once in {}", written(period)),
        }
    }
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

fn written(span: Micros) -> String {
    let (unit, _, count) = in_units(span);
    format!("{count}{unit}")
}

fn span_words(span: Micros) -> String {
    let (_, word, count) = in_units(span);
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn in_units(span: Micros) -> (&'static str, &'static str, u64) {
    let mut units = UNITS.into_iter().zip(["day", "hour", "minute", "second"]);
    let largest = units.find(|((_, micros), _)| span.is_multiple_of(*micros));
    let ((unit, micros), word) = largest.unwrap_or((UNITS[3], "second"));
    (unit, word, span / micros)
}
