//! The SQL of taking along and leaving.

use uuid::Uuid;

use crate::db::{Db, Timestamp, Tx, on};

#[derive(sqlx::FromRow)]
pub struct Facts {
    pub verified_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

pub async fn facts(db: &Db, id: Uuid) -> sqlx::Result<Option<Facts>> {
    const SQL: &str = "SELECT verified_at, created_at, updated_at FROM users WHERE id = $1";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)
}

/// Everything that refers to the person goes along with them; the audit trail refers to nobody.
pub async fn delete(tx: &mut Tx, id: Uuid) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM users WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).execute(conn).await.map(drop))
}
