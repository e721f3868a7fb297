//! Numbers as people read them: few digits, and the unit beside. Templates pass references, code passes values.

use std::borrow::Borrow;

use crate::timestamp::Timestamp;

/// `0`, `0.42`, `7.3`, `156`, `12,400`.
#[must_use]
pub fn number(value: impl Borrow<f64>) -> String {
    let value: f64 = *value.borrow();
    let size = value.abs();
    if size < f64::EPSILON {
        return "0".to_owned();
    }
    if size < 0.995 {
        return format!("{value:.2}");
    }
    if size < 9.95 {
        return trimmed(&format!("{value:.1}"));
    }
    grouped(&format!("{value:.0}"))
}

/// Whole numbers with their thousands apart.
#[must_use]
pub fn whole(value: impl Borrow<u64>) -> String {
    grouped(&value.borrow().to_string())
}

#[must_use]
pub fn uptime(seconds: impl Borrow<i64>) -> String {
    let seconds = f64::from(u32::try_from(*seconds.borrow()).unwrap_or(0));
    if seconds < 120.0 { format!("{seconds} s") } else { long(seconds) }
}

/// The time of the day, UTC.
#[must_use]
pub fn clock(seconds: i64) -> String {
    let seconds = seconds.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[must_use]
pub fn time(at: impl Borrow<Timestamp>) -> String {
    clock(at.borrow().micros() / 1_000_000)
}

#[must_use]
pub fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// A count, for dividing; exact below 2³².
#[must_use]
pub fn real(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[must_use]
pub fn count(value: impl Borrow<f64>) -> String {
    let value: f64 = *value.borrow();
    grouped(&format!("{value:.0}"))
}

/// `0.4 ms`, `12 ms`, `1.3 s`.
#[must_use]
pub fn duration(seconds: impl Borrow<f64>) -> String {
    let seconds: f64 = *seconds.borrow();
    if seconds < 0.001 {
        return format!("{} ms", trimmed(&format!("{:.2}", seconds * 1e3)));
    }
    if seconds < 0.00995 {
        return format!("{} ms", trimmed(&format!("{:.1}", seconds * 1e3)));
    }
    if seconds < 0.9995 {
        return format!("{:.0} ms", seconds * 1e3);
    }
    if seconds < 120.0 {
        return format!("{} s", trimmed(&format!("{seconds:.1}")));
    }
    long(seconds)
}

#[must_use]
pub fn maybe(seconds: impl Borrow<Option<f64>>) -> String {
    let seconds: Option<f64> = *seconds.borrow();
    seconds.map_or_else(|| "–".to_owned(), duration)
}

/// `3 d 4 h`, `2 h 5 min`, `4 min`.
#[must_use]
pub fn long(seconds: impl Borrow<f64>) -> String {
    let seconds: f64 = *seconds.borrow();
    let minutes = (seconds / 60.0).floor();
    let (days, hours) = ((minutes / 1440.0).floor(), (minutes / 60.0).floor() % 24.0);
    if days > 0.0 {
        format!("{days} d {hours} h")
    } else if hours > 0.0 {
        format!("{hours} h {} min", minutes % 60.0)
    } else {
        format!("{minutes} min")
    }
}

/// `0 %`, `0.02 %`, `99.3 %`.
#[must_use]
pub fn percent(share: impl Borrow<f64>) -> String {
    let share: f64 = *share.borrow();
    let value = share * 100.0;
    let digits = match value.abs() {
        0.0 => 0,
        v if v < 1.0 || (v > 99.0 && v < 100.0) => 2,
        v if v < 10.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$} %")
}

/// A dash where the whole is 0.
#[must_use]
pub fn share(part: impl Borrow<f64>, whole: impl Borrow<f64>) -> String {
    let (part, whole): (f64, f64) = (*part.borrow(), *whole.borrow());
    if whole > 0.0 { percent(part / whole) } else { "–".to_owned() }
}

/// Out of 100, for the width of a bar.
#[must_use]
pub fn width(part: impl Borrow<f64>, whole: impl Borrow<f64>) -> String {
    let (part, whole): (f64, f64) = (*part.borrow(), *whole.borrow());
    format!("{:.1}", part / whole.max(1.0) * 100.0)
}

#[must_use]
pub fn bytes(value: impl Borrow<f64>) -> String {
    let value: f64 = *value.borrow();
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let found = units.iter().find(|(size, _)| value >= *size);
    found.map_or_else(|| format!("{value:.0} B"), |(size, unit)| format!("{} {unit}", number(value / size)))
}

fn trimmed(text: &str) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            ["0", "0.42", "7.3", "5", "156", "12,400"],
            [
                &*number(0.0),
                &*number(0.42),
                &*number(7.31),
                &*number(5.0),
                &*number(156.4),
                &*number(12_400.0)
            ]
        );
        assert_eq!(
            ["0.4 ms", "3.1 ms", "12 ms", "1.3 s", "4 min", "2 h 5 min", "3 d 4 h"],
            [
                &*duration(0.0004),
                &*duration(0.0031),
                &*duration(0.012),
                &*duration(1.26),
                &*long(250.0),
                &*long(7_500.0),
                &*long(273_600.0)
            ]
        );
        assert_eq!(
            ["0 %", "0.02 %", "1.5 %", "42 %", "99.93 %", "100 %"],
            [
                &*percent(0.0),
                &*percent(0.0002),
                &*percent(0.015),
                &*percent(0.42),
                &*percent(0.9993),
                &*percent(1.0)
            ]
        );
        assert_eq!(["512 B", "1.5 kB", "42 MB"], [&*bytes(512.0), &*bytes(1_500.0), &*bytes(42e6)]);
    }
}
