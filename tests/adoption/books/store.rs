//! The SQL of books.

use uuid::Uuid;

use super::Book;
use crate::cache::Write;
use crate::db::{Db, on};
use crate::timestamp::Timestamp;

pub async fn list(db: &Db, owner: Uuid) -> sqlx::Result<Vec<Book>> {
    const SQL: &str = "SELECT id, title, author FROM books WHERE owner_id = $1 ORDER BY title, id";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(owner).fetch_all(pool).await)
}

pub async fn insert(tx: &mut Write, owner: Uuid, book: &Book, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str =
        "INSERT INTO books (id, owner_id, title, author, created_at) VALUES ($1, $2, $3, $4, $5)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(book.id).bind(owner).bind(&book.title).bind(&book.author)
        .bind(now).execute(conn).await.map(drop))
}
