//! The SQL of public profiles and feeds, with the visibility rule.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{LATEST, Profile};
use crate::db::{Db, Value, bind_all, on};
use crate::identity::Viewer;
use crate::resources::listing::Hit;
use crate::resources::store::Statement;
use crate::resources::store::list::columns;
use crate::resources::visibility::visible;

/// Feeds contain bodies up to this many characters; of longer ones, only the summary.
pub const FEED_BODY: i64 = 20_000;

/// The profile of a username in its folded form.
pub async fn profile(db: &Db, viewer: &Viewer, username_key: &str) -> sqlx::Result<Option<Profile>> {
    let Statement { sql, values, .. } = profile_statement(viewer, username_key);
    let found: Option<Profile> = on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), values)
        .fetch_optional(pool).await?);
    Ok(found.filter(|profile| profile.public > 0))
}

/// One statement for every name, so that its time tells nothing either.
pub fn profile_statement(viewer: &Viewer, username_key: &str) -> Statement {
    let mut statement = Statement::new(viewer);
    let name = statement.bind(Value::Text(username_key.to_owned()));
    let sql = format!(
        "SELECT u.id, u.username, u.display_name, u.created_at AS since,
            (SELECT COUNT(*) FROM resources r WHERE r.owner_id = u.id AND {visible}) AS public
        FROM users u WHERE u.username_key = {name} AND u.disabled_at IS NULL",
        visible = visible(viewer)
    );
    Statement { sql, ..statement }
}

/// The newest first.
pub async fn latest(db: &Db, viewer: &Viewer, owner: Option<Uuid>) -> sqlx::Result<Vec<Hit>> {
    let Statement { sql, values, .. } = latest_statement(viewer, owner);
    on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), values).fetch_all(pool).await)
}

pub fn latest_statement(viewer: &Viewer, owner: Option<Uuid>) -> Statement {
    let mut statement = Statement::new(viewer);
    let by_owner = owner.map(|id| format!(" AND r.owner_id = {}", statement.bind(Value::Id(id))));
    let sql = format!(
        "SELECT {columns} FROM resources r JOIN users u ON u.id = r.owner_id
        WHERE {visible}{by_owner} ORDER BY r.created_at DESC, r.id DESC LIMIT {LATEST}",
        columns = columns(&format!("CASE WHEN LENGTH(r.body) <= {FEED_BODY} THEN r.body ELSE '' END")),
        visible = visible(viewer),
        by_owner = by_owner.unwrap_or_default(),
    );
    Statement { sql, ..statement }
}
