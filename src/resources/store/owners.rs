//! Names of people as their ids, which stand in the index of words.

use uuid::Uuid;

use crate::db::{Db, on};
use crate::identity::Viewer;
use crate::resources::query::{Criterion, Filter};

/// Replaces `by:NAME` and `by:me` by ids. The nil id, which no account has, stands for an unknown name and for a visitor.
pub async fn identify(db: &Db, viewer: &Viewer, filters: &mut [Filter]) -> sqlx::Result<()> {
    const SQL: &str = "SELECT id FROM users WHERE username_key = $1";
    for Filter { criterion, .. } in filters {
        let id: Option<Uuid> = match criterion {
            Criterion::Mine => viewer.id(),
            Criterion::By(name) => {
                on!(db.read(), pool => sqlx::query_scalar(SQL).bind(&*name).fetch_optional(pool).await?)
            }
            _ => continue,
        };
        *criterion = Criterion::Owner(id.unwrap_or_default());
    }
    Ok(())
}
