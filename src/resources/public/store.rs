//! The public face's SQL; the visibility rule says what of it there is.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{LATEST, Profile};
use crate::db::{Db, Value, bind_all, on};
use crate::resources::listing::Hit;
use crate::resources::store::list::columns;
use crate::resources::visibility::visible;
use crate::web::viewer::Viewer;

/// Characters of a body that a feed carries; of a longer one it has the beginning.
pub const CARRIED: i64 = 20_000;

/// Who shows anything, by the form in which usernames are compared.
pub async fn profile(db: &Db, viewer: &Viewer, username_key: &str) -> sqlx::Result<Option<Profile>> {
    let (sql, values) = profile_statement(viewer, username_key);
    let found: Option<Profile> = on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), values)
        .fetch_optional(pool).await?);
    Ok(found.filter(|profile| profile.public > 0))
}

/// One statement whoever is asked for, so that time tells nothing either.
#[must_use]
pub fn profile_statement(viewer: &Viewer, username_key: &str) -> (String, Vec<Value>) {
    let sql = format!(
        "SELECT u.id, u.username, u.display_name, u.created_at AS since,
            (SELECT COUNT(*) FROM resources r WHERE r.owner_id = u.id AND {visible}) AS public
        FROM users u WHERE u.username_key = $2 AND u.disabled_at IS NULL",
        visible = visible(viewer)
    );
    (sql, vec![whose(viewer), Value::Text(username_key.to_owned())])
}

/// The newest first.
pub async fn latest(db: &Db, viewer: &Viewer, owner: Option<Uuid>) -> sqlx::Result<Vec<Hit>> {
    let (sql, values) = latest_statement(viewer, owner);
    on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), values).fetch_all(pool).await)
}

#[must_use]
pub fn latest_statement(viewer: &Viewer, owner: Option<Uuid>) -> (String, Vec<Value>) {
    let mut values = vec![whose(viewer)];
    values.extend(owner.map(Value::Id));
    let sql = format!(
        "SELECT {columns} FROM resources r JOIN users u ON u.id = r.owner_id
        WHERE {visible}{owned} ORDER BY r.created_at DESC, r.id DESC LIMIT {LATEST}",
        columns = columns(&format!("CASE WHEN LENGTH(r.body) <= {CARRIED} THEN r.body ELSE '' END")),
        visible = visible(viewer),
        owned = if owner.is_some() { " AND r.owner_id = $2" } else { "" },
    );
    (sql, values)
}

/// `$1` of the visibility rule.
fn whose(viewer: &Viewer) -> Value {
    Value::Id(viewer.id().unwrap_or(Uuid::nil()))
}
