//! A sample of a large library, which tells whether a search is common.

use sqlx::AssertSqlSafe;

use super::criteria::Statement;
use super::matching::postgres_condition;
use super::texts::matches_row;
use crate::db::{Db, bind_all, on};
use crate::identity::Viewer;
use crate::resources::listing::Search;
use crate::timestamp::Timestamp;

/// In a library with fewer entries, all can be counted.
const LARGE: i64 = 50_000;
const SAMPLED: i64 = 400;
/// So many matches of a sample tell how many there are in all.
const TELLING: i64 = 8;
/// From about this many matches on, a search is common. Of 100,000 entries, 16 of the sample match then; of a search with no
/// more than a thousand matches, that many do once in 200,000 times.
const COMMON: i64 = 4_000;

/// How many entries were read, may be seen, and match.
#[derive(Clone, Copy)]
pub struct Sample {
    last: i64,
    read: i64,
    visible: i64,
    matching: i64,
}

impl Sample {
    /// `None` for a small library, and where a row alone does not tell whether it matches.
    pub async fn of(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Option<Self>> {
        if search.query.says_nothing {
            return Ok(None);
        }
        let mut bound = Statement::new(viewer);
        let matching = match db {
            Db::Postgres(_) => Some(postgres_condition(&mut bound, db, viewer, search, &[])),
            Db::Sqlite { .. } => matches_row(&mut bound, db, viewer, search),
        };
        match matching {
            Some(matching) => Self::take(db, [&search.partition.condition(viewer), &matching], &bound).await,
            None => Ok(None),
        }
    }

    /// By conditions on `resources r`, whose values `bound` has.
    async fn take(db: &Db, conditions: [&str; 2], bound: &Statement) -> sqlx::Result<Option<Self>> {
        const LAST: &str = "SELECT COALESCE(MAX(rid), 0) FROM resources";
        let last: i64 = on!(db.read(), pool => sqlx::query_scalar(LAST).fetch_one(pool).await?);
        if last < LARGE {
            return Ok(None);
        }
        let mut statement = bound.clone();
        let given = statement.bind_rids(&db.read(), numbers(last));
        let counts = conditions.map(|condition| format!("COUNT(*) FILTER (WHERE {condition})")).join(", ");
        let sql = AssertSqlSafe(format!(
            "SELECT COUNT(*), {counts} FROM {given} CROSS JOIN resources r WHERE r.rid = given.rid AND r.trashed_at IS NULL",
        ));
        let (read, visible, matching) = on!(db.read(), pool => bind_all!(sqlx::query_as(sql).persistent(false), statement.values)
            .fetch_one(pool).await?);
        Ok(Some(Self { last, read, visible, matching }))
    }

    /// Whether more than [`COMMON`] entries match. To count them all, the engines would list every one first.
    pub const fn is_common(self) -> bool {
        self.matching >= TELLING && self.matching * self.last >= COMMON * self.read
    }

    /// Whether all matches are likely to be ranked.
    pub const fn is_rare(self) -> bool {
        self.matching == 0
    }

    /// Since when the latest entries were made that are likely to include three times as many matches; `None` if reading their
    /// times would take longer than fetching all matches.
    pub async fn since(self, db: &Db, matches: i64) -> sqlx::Result<Option<Timestamp>> {
        let Some(latest) = self.latest_with(matches) else { return Ok(None) };
        let mut statement = Statement::default();
        let given = statement.bind_rids(&db.read(), numbers(self.last));
        let sql = AssertSqlSafe(format!(
            "SELECT r.created_at FROM {given} CROSS JOIN resources r WHERE r.rid = given.rid AND r.trashed_at IS NULL
                ORDER BY r.created_at DESC LIMIT 1 OFFSET {latest} - 1"
        ));
        on!(db.read(), pool => bind_all!(sqlx::query_scalar(sql).persistent(false), statement.values).fetch_optional(pool).await)
    }

    /// How many of the sample's entries, from the latest on. One alone may be next to the end.
    fn latest_with(self, matches: i64) -> Option<i64> {
        /// An index yields the times of so many entries while one match is fetched.
        const TIMES: i64 = 20;
        let latest = (3 * matches * self.read * self.read).checked_div(self.matching * self.last)?.max(2);
        (latest <= self.matching * TIMES && latest * 4 <= self.read).then_some(latest)
    }

    /// Whether the viewer may see most of the library.
    pub const fn is_mostly_visible(self) -> bool {
        self.visible * 2 >= self.read
    }
}

/// Whether more than [`COMMON`] entries meet the condition on `resources r`, by a sample. `bound` has the condition's values.
pub async fn is_common(db: &Db, condition: &str, bound: &Statement) -> sqlx::Result<bool> {
    Ok(Sample::take(db, ["TRUE", condition], bound).await?.is_some_and(Sample::is_common))
}

/// Numbers of entries, spread over the order in which they were saved. They are a golden section apart, so that they don't meet
/// every hundredth entry each time. They change with every few per cent that are added, so the database has their rows at hand.
pub fn numbers(last: i64) -> impl Iterator<Item = i64> {
    let last = last - last % (1 << last.ilog2().saturating_sub(4));
    let step = (last * 618 / 1_000) | 1;
    (0..SAMPLED).map(move |nth| 1 + nth * step % last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_matches_are_among_the_latest_entries() {
        let latest = |last, matching| Sample { last, read: 400, visible: 400, matching }.latest_with(301);
        assert_eq!(latest(1_000_000, 6), Some(24));
        assert_eq!(latest(1_000_000, 400), Some(2));
        assert_eq!(latest(100_000, 40), Some(36));
        // Of few matches, all are fetched sooner.
        assert_eq!(latest(1_000_000, 2), None);
        assert_eq!(latest(100_000, 6), None);
        assert_eq!(latest(1_000_000, 0), None);
    }
}
