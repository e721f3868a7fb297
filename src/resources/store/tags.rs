//! The SQL of tags and of their counts, which triggers keep with every change of an entry or its tags.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::db::{Db, Tx, Value, bind_all, on};
use crate::identity::Viewer;
use crate::resources::TagCount;
use crate::resources::retag::TagMove;
use crate::resources::tag::TagName;

pub const COMPLETE: &str = "SELECT name FROM tags WHERE owner_id = $1 AND folded >= $2 AND folded < $3
        ORDER BY folded LIMIT $4";
pub const COMPLETE_LEVEL: &str = "SELECT name FROM tags WHERE owner_id = $1 AND folded LIKE $2
        ORDER BY folded LIMIT $3";
pub const OWN: &str = "SELECT name, folded FROM tags WHERE owner_id = $1 ORDER BY folded";

/// What the counts should be, where they are not.
macro_rules! miscounted {
    () => {
        "(SELECT t.id, COUNT(CASE WHEN r.visibility = 'private' THEN 1 END) AS private,
                COUNT(CASE WHEN r.visibility = 'members' THEN 1 END) AS members,
                COUNT(CASE WHEN r.visibility = 'public' THEN 1 END) AS public
            FROM tags t LEFT JOIN resource_tags rt ON rt.tag_id = t.id
            LEFT JOIN resources r ON r.id = rt.resource_id AND r.trashed_at IS NULL
            GROUP BY t.id, t.private_count, t.members_count, t.public_count
            HAVING t.private_count <> COUNT(CASE WHEN r.visibility = 'private' THEN 1 END)
                OR t.members_count <> COUNT(CASE WHEN r.visibility = 'members' THEN 1 END)
                OR t.public_count <> COUNT(CASE WHEN r.visibility = 'public' THEN 1 END)) counted"
    };
}

/// The statements of [`seen`], which count what the rule of `visibility` shows.
pub const SEEN_BY_MEMBER: &str = "SELECT MIN(name) AS name, CAST(SUM(count) AS BIGINT) AS count FROM (
        SELECT folded, name, private_count + members_count + public_count AS count FROM tags WHERE owner_id = $1
        UNION ALL SELECT folded, name, members_count + public_count FROM tags
            WHERE owner_id <> $1 AND members_count + public_count > 0
    ) seen WHERE count > 0 GROUP BY folded ORDER BY folded";
pub const SEEN_BY_VISITOR: &str =
    "SELECT MIN(name) AS name, CAST(SUM(public_count) AS BIGINT) AS count FROM tags
    WHERE members_count + public_count > 0 AND public_count > 0 GROUP BY folded ORDER BY folded";

/// Tags of different owners with the same folded name count as one, under the first spelling.
pub async fn seen(db: &Db, viewer: &Viewer) -> sqlx::Result<Vec<TagCount>> {
    if let Some(id) = viewer.id() {
        on!(db.read(), pool => sqlx::query_as(SEEN_BY_MEMBER).bind(id).fetch_all(pool).await)
    } else {
        on!(db.read(), pool => sqlx::query_as(SEEN_BY_VISITOR).fetch_all(pool).await)
    }
}

/// How many tags have wrong counts. It reads the whole library.
pub async fn count_miscounted(tx: &mut Tx) -> sqlx::Result<i64> {
    const SQL: &str = concat!("SELECT COUNT(*) FROM ", miscounted!());
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).fetch_one(conn).await)
}

/// Sets the wrong counts right.
pub async fn recount(tx: &mut Tx) -> sqlx::Result<u64> {
    const SQL: &str = concat!(
        "UPDATE tags SET private_count = counted.private, members_count = counted.members, public_count = counted.public
            FROM ",
        miscounted!(),
        " WHERE counted.id = tags.id"
    );
    on!(tx.conn(), conn => Ok(sqlx::query(SQL).execute(conn).await?.rows_affected()))
}

/// First the tags that begin like this, then those with a level that does.
pub async fn complete(db: &Db, owner: Uuid, folded: &str, most: i64) -> sqlx::Result<Vec<String>> {
    let end = format!("{folded}\u{10FFFF}");
    let mut names: Vec<String> = on!(db.read(), pool => sqlx::query_scalar(COMPLETE).bind(owner).bind(folded)
        .bind(end).bind(most).fetch_all(pool).await?);
    let enough = usize::try_from(most).unwrap_or(0);
    let level = folded.replace(['%', '_', '\\'], "");
    if names.len() < enough && !level.is_empty() {
        let pattern = format!("%/{level}%");
        let below: Vec<String> = on!(db.read(), pool => sqlx::query_scalar(COMPLETE_LEVEL).bind(owner)
            .bind(pattern).bind(most).fetch_all(pool).await?);
        names.extend(below);
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names.truncate(enough);
    }
    Ok(names)
}

pub async fn own(db: &Db, owner: Uuid) -> sqlx::Result<Vec<TagName>> {
    on!(db.read(), pool => sqlx::query_as(OWN).bind(owner).fetch_all(pool).await)
}

/// How many entries outside the trash each tag has.
pub async fn count_entries(db: &Db, owner: Uuid, moves: &[TagMove]) -> sqlx::Result<Vec<i64>> {
    let mut values = vec![Value::Id(owner)];
    values.extend(moves.iter().map(|one| Value::Text(one.from.folded.clone())));
    let places: Vec<String> = (2..=values.len()).map(|number| format!("${number}")).collect();
    let sql = format!(
        "SELECT folded, private_count + members_count + public_count FROM tags
            WHERE owner_id = $1 AND folded IN ({})",
        places.join(", ")
    );
    let rows: Vec<(String, i64)> =
        on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), values).fetch_all(pool).await?);
    let count = |folded: &str| rows.iter().find(|(known, _)| known == folded).map_or(0, |(_, count)| *count);
    Ok(moves.iter().map(|one| count(&one.from.folded)).collect())
}
