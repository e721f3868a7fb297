//! A point in time to the microsecond: `TIMESTAMPTZ` in PostgreSQL, INTEGER microseconds in SQLite.
//!
//! sqlx would write SQLite times as text that does not sort by time (`.5Z` against `.51Z`).

use std::time::Duration;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Postgres, Sqlite, Type};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, Time};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// In UTC.
    pub fn midnight(date: Date) -> Self {
        Self::from(date.with_time(Time::MIDNIGHT).assume_utc())
    }

    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Earlier than all that RFC 3339 can write, which begins with the year 0.
    pub const EARLIEST: Self = Self(-62_167_219_200_000_001);

    /// From seconds since 1970, UTC; `None` outside the years 0 to 9999.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        (-62_167_219_200..=253_402_300_799).contains(&seconds).then_some(Self(seconds * 1_000_000))
    }

    /// RFC 3339, with any offset.
    pub fn parse(text: &str) -> Option<Self> {
        OffsetDateTime::parse(text, &Rfc3339).ok().map(Self::from)
    }

    pub const fn micros(self) -> i64 {
        self.0
    }

    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    pub fn rfc3339(self) -> String {
        self.datetime().format(&Rfc3339).unwrap_or_default()
    }

    /// The same as JSON has it: always with three decimals, so that texts compare as times do.
    pub fn json(self) -> String {
        let format =
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        self.datetime().format(&format).unwrap_or_default()
    }

    /// The same for `<time datetime>`, which takes milliseconds at most.
    pub fn html(self) -> String {
        Self(self.0 - self.0.rem_euclid(1_000)).rfc3339()
    }

    /// The day, for people: `3 May 2026`.
    pub fn day(self) -> String {
        let format = format_description!("[day padding:none] [month repr:short] [year]");
        self.datetime().format(&format).unwrap_or_default()
    }

    /// The minute, for people: `3 May 2026, 14:05 UTC`.
    pub fn moment(self) -> String {
        let format = format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
        self.datetime().format(&format).unwrap_or_default()
    }

    pub fn datetime(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(at: OffsetDateTime) -> Self {
        Self(i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&self.json())
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::invalid_value(Unexpected::Str(&text), &"a time such as 2026-11-28T14:05:00Z")
        })
    }
}

impl Type<Sqlite> for Timestamp {
    fn type_info() -> <Sqlite as Database>::TypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }

    fn compatible(ty: &<Sqlite as Database>::TypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(ty)
    }
}

impl<'q> Encode<'q, Sqlite> for Timestamp {
    fn encode_by_ref(&self, buf: &mut <Sqlite as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<'q, Sqlite>>::encode_by_ref(&self.0, buf)
    }
}

impl<'r> Decode<'r, Sqlite> for Timestamp {
    fn decode(value: <Sqlite as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        <i64 as Decode<'r, Sqlite>>::decode(value).map(Self)
    }
}

impl Type<Postgres> for Timestamp {
    fn type_info() -> <Postgres as Database>::TypeInfo {
        <OffsetDateTime as Type<Postgres>>::type_info()
    }
}

impl<'q> Encode<'q, Postgres> for Timestamp {
    fn encode_by_ref(&self, buf: &mut <Postgres as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <OffsetDateTime as Encode<'q, Postgres>>::encode_by_ref(&self.datetime(), buf)
    }
}

impl<'r> Decode<'r, Postgres> for Timestamp {
    fn decode(value: <Postgres as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        <OffsetDateTime as Decode<'r, Postgres>>::decode(value).map(Self::from)
    }
}
