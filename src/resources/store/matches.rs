//! What a search matches on all its pages: how many entries, and their tags.

use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

use super::criteria::Statement;
use super::matching::{ids, size};
use super::sample::Sample;
use super::sizes::Size;
use crate::db::{Db, bind_all, on};
use crate::identity::Viewer;
use crate::resources::TagCount;
use crate::resources::listing::{RANKED, SOME, Search, Sort};
use crate::resources::visibility::Partition;

/// Stands for any number beyond [`SOME`].
const MORE: usize = SOME + 1;
const BY_USES: &str = "GROUP BY t.folded ORDER BY SUM(uses.count) DESC, t.folded LIMIT 50";

/// How many are listed, over all pages.
pub async fn count(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<i64> {
    for narrower in narrower(search) {
        let count = count_within(db, viewer, &narrower, "").await?;
        if count > RANKED {
            return Ok(count);
        }
    }
    count_within(db, viewer, search, "").await
}

/// How many match, up to [`SOME`]; a larger number stands for any that is larger.
pub async fn count_some(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<i64> {
    if Sample::of(db, viewer, search).await?.is_some_and(Sample::is_common) {
        return Ok(i64::try_from(MORE).unwrap_or(i64::MAX));
    }
    count_within(db, viewer, search, &format!(" LIMIT {MORE}")).await
}

async fn count_within(db: &Db, viewer: &Viewer, search: &Search, limit: &str) -> sqlx::Result<i64> {
    if search.query.says_nothing {
        return Ok(0);
    }
    let size = size(db, viewer, search).await?;
    let matches = ids(db, viewer, search, None, size, limit);
    let sql = format!("SELECT COUNT(*) FROM ({}) c", matches.sql);
    on!(db.read(), pool => bind_all!(sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false), matches.values)
        .fetch_one(pool).await)
}

/// What a search matches on all its pages.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Matches {
    /// How many; a number beyond [`SOME`] stands for any that is larger.
    pub count: usize,
    /// The most frequent tags of all that match; empty if more than [`SOME`] do.
    pub tags: Vec<TagCount>,
}

impl Matches {
    const MANY: Self = Self { count: MORE, tags: Vec::new() };

    fn exceed_ranking(&self) -> bool {
        i64::try_from(self.count).is_ok_and(|count| count > RANKED)
    }
}

/// What is listed, over all pages.
pub async fn find(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Matches> {
    let sample = Sample::of(db, viewer, search).await?;
    find_by(db, viewer, search, sample).await
}

/// The same; `None` where the list is likely to know it itself, as all results are ranked.
pub async fn find_unless_rare(
    db: &Db,
    viewer: &Viewer,
    search: &Search,
    sample: Option<Sample>,
) -> sqlx::Result<Option<Matches>> {
    let sample = match sample {
        Some(sample) => Some(sample),
        None => Sample::of(db, viewer, search).await?,
    };
    if search.sort == Sort::Relevance && sample.is_some_and(Sample::is_rare) {
        return Ok(None);
    }
    find_by(db, viewer, search, sample).await.map(Some)
}

pub async fn find_by(
    db: &Db,
    viewer: &Viewer,
    search: &Search,
    sample: Option<Sample>,
) -> sqlx::Result<Matches> {
    if search.query.says_nothing {
        return Ok(Matches::default());
    }
    let (is_common, size) = (sample.is_some_and(Sample::is_common), size(db, viewer, search).await?);
    for narrower in narrower(search) {
        let narrower_sample = if is_common { Sample::of(db, viewer, &narrower).await? } else { None };
        let found = if narrower_sample.is_some_and(Sample::is_common) {
            Matches::MANY
        } else {
            found(db, viewer, &narrower, sample, size, RANKED).await?
        };
        if found.exceed_ranking() {
            return Ok(found);
        }
    }
    if is_common {
        return Ok(Matches::MANY);
    }
    found(db, viewer, search, sample, size, 0).await
}

/// Of what was found, by its `rid`s.
pub async fn of(db: &Db, viewer: &Viewer, partition: Partition, rids: &[i64]) -> sqlx::Result<Matches> {
    let mut statement = Statement::new(viewer);
    let given = statement.bind_rids(&db.read(), rids.iter().copied());
    let sql = format!(
        "SELECT MIN(t.name) AS name, CAST(SUM(uses.count) AS bigint) AS count
            FROM (SELECT rt.tag_id, COUNT(*) AS count FROM {given} CROSS JOIN resources r
                JOIN resource_tags rt ON rt.resource_id = r.id
                WHERE r.rid = given.rid AND ({}) IS TRUE GROUP BY rt.tag_id) uses
            JOIN tags t ON t.id = uses.tag_id {BY_USES}",
        partition.condition(viewer)
    );
    let tags = on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), statement.values).fetch_all(pool).await?);
    Ok(Matches { count: rids.len(), tags })
}

/// The stricter readings of a ranked search, strictest first. If one finds more than are ranked, the list has no wider one.
fn narrower(search: &Search) -> impl Iterator<Item = Search> {
    let query = &search.query;
    let as_typed = query.is_wider().then(|| query.as_typed());
    let texts = [query.literally(), query.in_whole_words(), as_typed].into_iter().flatten();
    texts.filter(|_| search.sort == Sort::Relevance).map(|text| search.read_as(text))
}

/// How many match, and if these are more than `least` their tags: in one statement, as finding the matches takes longest.
async fn found(
    db: &Db,
    viewer: &Viewer,
    search: &Search,
    sample: Option<Sample>,
    size: Size,
    least: i64,
) -> sqlx::Result<Matches> {
    let matches = ids(db, viewer, search, sample, size, &format!(" LIMIT {MORE}"));
    let sql = format!(
        "WITH found AS MATERIALIZED ({}), total AS (SELECT COUNT(*) AS count FROM found)
        SELECT NULL AS name, count FROM total UNION ALL
        SELECT * FROM (SELECT MIN(t.name) AS name, CAST(SUM(uses.count) AS bigint) AS count
            FROM (SELECT rt.tag_id, COUNT(*) AS count FROM resource_tags rt WHERE rt.resource_id IN (SELECT id FROM found)
                AND (SELECT count FROM total) BETWEEN {least} + 1 AND {SOME} GROUP BY rt.tag_id) uses
            JOIN tags t ON t.id = uses.tag_id {BY_USES}) counted",
        matches.sql
    );
    let rows: Vec<(Option<String>, i64)> = on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)).persistent(false), matches.values)
        .fetch_all(pool).await?);
    let mut found = Matches::default();
    for (name, count) in rows {
        match name {
            Some(name) => found.tags.push(TagCount { name, count }),
            None => found.count = usize::try_from(count).unwrap_or_default(),
        }
    }
    Ok(found)
}
