//! The dates of bookmark files, in every clock that programs have written them by.

use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::{Iso8601, Rfc2822};
use time::macros::format_description;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// As web servers log it: `14/Nov/2023:22:13:20 +0000`.
const LOG: &[BorrowedFormatItem<'_>] = format_description!(
    "[day]/[month repr:short]/[year]:[hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]"
);

/// The time of day behind a date.
const CLOCKS: [&[BorrowedFormatItem<'_>]; 4] = [
    format_description!("[hour padding:none]:[minute]:[second]"),
    format_description!("[hour padding:none]:[minute]"),
    format_description!(
        "[hour repr:12 padding:none]:[minute]:[second] [period case:upper case_sensitive:false]"
    ),
    format_description!("[hour repr:12 padding:none]:[minute] [period case:upper case_sensitive:false]"),
];

/// Clocks begin in these years, so programs write such a date for none.
const FIRST_YEARS: [i32; 2] = [1, 1601];

/// Seconds since 1970 out of a number, an ISO 8601 or RFC 2822 date, a log's, or a day in numbers such as `31.12.2020`;
/// UTC where no zone is named. Where a clock begins is no date.
pub fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let whole = text.split_once('.').filter(|(_, fraction)| is_number(fraction));
    match whole.map_or(text, |(whole, _)| whole).parse() {
        Ok(number) => by_magnitude(number),
        Err(_) => written_out(text).filter(|at| is_date(*at)).map(OffsetDateTime::unix_timestamp),
    }
}

fn is_date(at: OffsetDateTime) -> bool {
    at != OffsetDateTime::UNIX_EPOCH && !FIRST_YEARS.contains(&at.year())
}

/// Seconds, milliseconds, microseconds or `WebKit`'s microseconds since 1601, told apart by magnitude; nothing
/// was bookmarked by such a clock before 1970 or after 2286.
fn by_magnitude(number: i64) -> Option<i64> {
    const WEBKIT_EPOCH: i64 = 11_644_473_600;
    match number {
        time @ 1..10_000_000_000 => Some(time),
        time @ 10_000_000_000..10_000_000_000_000 => Some(time / 1_000),
        time @ 10_000_000_000_000..10_000_000_000_000_000 => Some(time / 1_000_000),
        time @ 10_000_000_000_000_000..100_000_000_000_000_000 => {
            Some(time / 1_000_000 - WEBKIT_EPOCH).filter(|time| *time > 0)
        }
        _ => None,
    }
}

fn written_out(text: &str) -> Option<OffsetDateTime> {
    let iso = text.replacen(' ', "T", 1).replace(' ', "");
    let zoned = OffsetDateTime::parse(&iso, &Iso8601::DEFAULT)
        .or_else(|_| OffsetDateTime::parse(text, LOG))
        .or_else(|_| OffsetDateTime::parse(text, &Rfc2822));
    let local = || PrimitiveDateTime::parse(&iso, &Iso8601::DEFAULT).map(PrimitiveDateTime::assume_utc);
    let day = || Date::parse(text, &Iso8601::DEFAULT).map(|day| day.with_time(Time::MIDNIGHT).assume_utc());
    zoned.or_else(|_| local()).or_else(|_| day()).ok().or_else(|| in_numbers(text))
}

/// A day in numbers, and perhaps a time behind it: `31.12.2020`, `12/31/2020 2:05 PM`.
fn in_numbers(text: &str) -> Option<OffsetDateTime> {
    let (day, clock) = text.split_once([' ', 'T', ',']).unwrap_or((text, ""));
    let time = CLOCKS.iter().find_map(|known| Time::parse(clock.trim(), *known).ok());
    Some(day_in_numbers(day)?.with_time(time.unwrap_or(Time::MIDNIGHT)).assume_utc())
}

/// With dots the day comes first. With slashes it may be the month: a date that has two meanings is none.
fn day_in_numbers(text: &str) -> Option<Date> {
    let sign = text.chars().find(|c| matches!(c, '.' | '/'))?;
    let parts: Vec<&str> = text.split(sign).collect();
    let [begin, _, end] = parts.as_slice() else { return None };
    let numbers: Vec<u16> = parts.iter().filter_map(|part| part.parse().ok()).collect();
    let [first, second, third] = numbers[..] else { return None };
    let (year, month, day) = if begin.len() == 4 {
        (first, second, third)
    } else if end.len() != 4 {
        return None;
    } else if sign == '.' || first > 12 || first == second {
        (third, second, first)
    } else if second > 12 {
        (third, first, second)
    } else {
        return None;
    };
    let [month, day] = [month, day].map(u8::try_from);
    Date::from_calendar_date(year.into(), Month::try_from(month.ok()?).ok()?, day.ok()?).ok()
}
