//! The SQL of one owner's tags.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::db::{Db, Value, bind_all, on};
use crate::resources::retag::TagMove;
use crate::resources::tag::TagName;

pub const COMPLETE: &str = "SELECT name FROM tags WHERE owner_id = $1 AND folded >= $2 AND folded < $3
        ORDER BY folded LIMIT $4";
pub const COMPLETE_LEVEL: &str = "SELECT name FROM tags WHERE owner_id = $1 AND folded LIKE $2
        ORDER BY folded LIMIT $3";
pub const OWN: &str = "SELECT name, folded FROM tags WHERE owner_id = $1 ORDER BY folded";

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
        "SELECT t.folded, COUNT(*) FROM tags t JOIN resource_tags rt ON rt.tag_id = t.id
            JOIN resources r ON r.id = rt.resource_id
            WHERE t.owner_id = $1 AND r.trashed_at IS NULL AND t.folded IN ({}) GROUP BY t.folded",
        places.join(", ")
    );
    let rows: Vec<(String, i64)> =
        on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), values).fetch_all(pool).await?);
    let count = |folded: &str| rows.iter().find(|(known, _)| known == folded).map_or(0, |(_, count)| *count);
    Ok(moves.iter().map(|one| count(&one.from.folded)).collect())
}
