//! The SQL of exporting and deleting an account.

use uuid::Uuid;

use crate::cache::Write;
use crate::db::{Db, on};
use crate::timestamp::Timestamp;

#[derive(sqlx::FromRow)]
pub struct Milestones {
    pub verified: Option<Timestamp>,
    pub created: Timestamp,
    pub updated: Timestamp,
}

pub async fn milestones(db: &Db, id: Uuid) -> sqlx::Result<Option<Milestones>> {
    const SQL: &str = "SELECT verified_at AS verified, created_at AS created, updated_at AS updated FROM users WHERE id = $1";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)
}

/// All rows that refer to the user go too; the audit log refers to no row.
pub async fn delete(tx: &mut Write, id: Uuid) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM users WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).execute(conn).await.map(drop))
}
