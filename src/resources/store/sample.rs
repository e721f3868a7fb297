//! A sample of a large library, which tells whether a search is common.

use sqlx::AssertSqlSafe;

use super::criteria::Statement;
use crate::db::{Db, bind_all, on};

/// In a library with fewer entries, all can be counted.
const LARGE: i64 = 50_000;
const SAMPLED: i64 = 400;
/// So many matches of a sample tell how many there are in all.
const TELLING: i64 = 8;
/// From about this many matches on, a search is common. Of 100,000 entries, 16 of the sample match then; of a search with no
/// more than a thousand matches, that many do once in 200,000 times.
const COMMON: i64 = 4_000;

/// Whether more than [`COMMON`] entries meet the condition on `resources r`, by a sample. To count them all, the engines would
/// list every one first. `bound` has the condition's values.
pub async fn is_common(db: &Db, condition: &str, bound: &Statement) -> sqlx::Result<bool> {
    const LAST: &str = "SELECT COALESCE(MAX(rid), 0) FROM resources";
    let last: i64 = on!(db.read(), pool => sqlx::query_scalar(LAST).fetch_one(pool).await?);
    if last < LARGE {
        return Ok(false);
    }
    let mut statement = bound.clone();
    let given = statement.bind_rids(&db.read(), numbers(last));
    let sql = AssertSqlSafe(format!(
        "SELECT COUNT(*), COUNT(*) FILTER (WHERE {condition}) FROM {given} CROSS JOIN resources r
            WHERE r.rid = given.rid AND r.trashed_at IS NULL",
    ));
    let (read, matching): (i64, i64) = on!(db.read(), pool => bind_all!(sqlx::query_as(sql).persistent(false), statement.values)
        .fetch_one(pool).await?);
    Ok(matching >= TELLING && matching * last >= COMMON * read)
}

/// Numbers of entries, spread over the order in which they were saved. They are a golden section apart, so that they don't meet
/// every hundredth entry each time.
pub fn numbers(last: i64) -> impl Iterator<Item = i64> {
    let step = (last * 618 / 1_000) | 1;
    (0..SAMPLED).map(move |nth| 1 + nth * step % last)
}
