//! The dates of bookmark files, in every clock that programs have written them by.

use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::{Iso8601, Rfc2822};
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time};

/// As web servers log it: `14/Nov/2023:22:13:20 +0000`.
const LOG: &[BorrowedFormatItem<'_>] = format_description!(
    "[day]/[month repr:short]/[year]:[hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]"
);

/// Seconds since 1970 out of a number, an ISO 8601 or RFC 2822 date, or a log's; UTC where no zone is named.
pub fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    match whole.parse() {
        Ok(number) => by_magnitude(number),
        Err(_) => written_out(text).filter(|seconds| *seconds > 0),
    }
}

/// Seconds, milliseconds, microseconds or `WebKit`'s microseconds since 1601, told apart by magnitude; nothing
/// was bookmarked before 1970 or after 2286.
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

fn written_out(text: &str) -> Option<i64> {
    let iso = text.replacen(' ', "T", 1).replace(' ', "");
    let zoned = OffsetDateTime::parse(&iso, &Iso8601::DEFAULT)
        .or_else(|_| OffsetDateTime::parse(text, LOG))
        .or_else(|_| OffsetDateTime::parse(text, &Rfc2822));
    let local = || PrimitiveDateTime::parse(&iso, &Iso8601::DEFAULT).map(PrimitiveDateTime::assume_utc);
    let day = || Date::parse(text, &Iso8601::DEFAULT).map(|day| day.with_time(Time::MIDNIGHT).assume_utc());
    zoned.or_else(|_| local()).or_else(|_| day()).ok().map(OffsetDateTime::unix_timestamp)
}
