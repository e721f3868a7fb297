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
use crate::timestamp::Timestamp;

/// Feeds contain bodies up to this many characters; of longer ones, only the summary.
pub const LONGEST_BODY: usize = 20_000;

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

/// What a sitemap tells of a public resource.
#[derive(sqlx::FromRow)]
pub struct Place {
    pub id: Uuid,
    pub updated_at: Timestamp,
    pub username: String,
    pub has_profile: bool,
}

/// The newest first.
pub async fn places(db: &Db, viewer: &Viewer, most: i64) -> sqlx::Result<Vec<Place>> {
    let mut statement = Statement::new(viewer);
    let most = statement.bind(Value::Int(most));
    let sql = format!(
        "SELECT r.id, r.updated_at, u.username, u.disabled_at IS NULL AS has_profile
        FROM resources r JOIN users u ON u.id = r.owner_id
        WHERE {visible} ORDER BY r.created_at DESC, r.id DESC LIMIT {most}",
        visible = visible(viewer),
    );
    on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), statement.values).fetch_all(pool).await)
}

/// The newest first.
pub async fn latest(db: &Db, viewer: &Viewer, owner: Option<Uuid>) -> sqlx::Result<Vec<Hit>> {
    let Statement { sql, values, has_one_plan } = latest_statement(viewer, owner);
    on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)).persistent(has_one_plan), values)
        .fetch_all(pool).await)
}

pub fn latest_statement(viewer: &Viewer, owner: Option<Uuid>) -> Statement {
    let mut statement = Statement::new(viewer);
    let by_owner = owner.map(|id| format!(" AND r.owner_id = {}", statement.bind(Value::Id(id))));
    let sql = format!(
        "SELECT {columns} FROM resources r JOIN users u ON u.id = r.owner_id
        WHERE {visible}{by_owner} ORDER BY r.created_at DESC, r.id DESC LIMIT {LATEST}",
        columns = columns(&format!("CASE WHEN LENGTH(r.body) <= {LONGEST_BODY} THEN r.body ELSE '' END")),
        visible = visible(viewer),
        by_owner = by_owner.unwrap_or_default(),
    );
    // What one person shares may be nearly all that is shared, or next to nothing of it.
    Statement { sql, has_one_plan: owner.is_none(), ..statement }
}
