//! The SQL of the sample entries.

use uuid::Uuid;

use crate::db::{Db, on};

/// The person's latest import of this name that was not undone, and of which entries are left.
pub async fn latest(db: &Db, owner: Uuid, name: &str) -> sqlx::Result<Option<Uuid>> {
    const SQL: &str = "SELECT id FROM imports WHERE owner_id = $1 AND filename = $2 AND state = 'committed'
            AND EXISTS (SELECT 1 FROM resources r WHERE r.import_id = imports.id)
        ORDER BY created_at DESC LIMIT 1";
    on!(db.read(), pool => sqlx::query_scalar(SQL).bind(owner).bind(name).fetch_optional(pool).await)
}
