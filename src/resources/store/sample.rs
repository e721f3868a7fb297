//! A sample of a large library in PostgreSQL, which tells whether a search is common.

use sqlx::AssertSqlSafe;

use super::criteria::Statement;
use crate::db::{Db, bind_all, on};

/// Two hundred entries of a library in PostgreSQL, evenly spread over the order in which they were saved; none of a library
/// of less than 50,000, where everything can be counted.
const SAMPLE: &str = "(SELECT MAX(rid) AS last FROM resources) newest
    JOIN LATERAL generate_series(1, last, last / 200) AS sampled (rid) ON last >= 50000
    JOIN resources r ON r.rid = sampled.rid AND r.trashed_at IS NULL";
/// So many matches of a sample tell how many there are in all.
const TELLING: i64 = 5;
/// From about this many matches on, words are common.
const COMMON: i64 = 10_000;

/// Whether more than [`COMMON`] entries meet the condition, by PostgreSQL's [`SAMPLE`]. To count them all, it would list every
/// one first. `bound` has the condition's values.
pub async fn is_common(db: &Db, condition: &str, bound: &Statement) -> sqlx::Result<bool> {
    let sql = AssertSqlSafe(format!(
        "SELECT COUNT(*), COUNT(*) FILTER (WHERE {condition}), COALESCE(MAX(last), 0) FROM {SAMPLE}"
    ));
    let (read, matching, all): (i64, i64, i64) = on!(db.read(), pool => bind_all!(sqlx::query_as(sql).persistent(false), bound.values)
        .fetch_one(pool).await?);
    Ok(matching >= TELLING && matching * all >= COMMON * read)
}
