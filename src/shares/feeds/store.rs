//! The SQL of private feeds.

use uuid::Uuid;

use crate::db::{Db, Tx, on};
use crate::identity::Member;
use crate::timestamp::Timestamp;

/// A feed as its owner sees it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PrivateFeed {
    #[sqlx(rename = "feed_id")]
    pub id: Uuid,
    /// Whose entries it has; `None` for the whole library and for a saved search.
    pub tag: Option<String>,
    #[sqlx(rename = "search_id")]
    pub search: Option<Uuid>,
    pub search_name: Option<String>,
    /// The query string of the saved search.
    pub query: Option<String>,
    pub created_at: Timestamp,
}

impl PrivateFeed {
    /// Of the whole library.
    pub fn new(id: Uuid, created_at: Timestamp) -> Self {
        Self { id, tag: None, search: None, search_name: None, query: None, created_at }
    }
}

/// A feed as a request opens it, with its owner.
#[derive(sqlx::FromRow)]
pub struct Opened {
    #[sqlx(flatten)]
    pub feed: PrivateFeed,
    #[sqlx(flatten)]
    pub owner: Member,
}

pub const OF_USER: &str = "SELECT f.id AS feed_id, f.tag, f.search_id, f.created_at,
    s.name AS search_name, s.search AS query
    FROM private_feeds f LEFT JOIN saved_searches s ON s.id = f.search_id
    WHERE f.owner_id = $1 ORDER BY f.id DESC";
pub const OPENED: &str = "SELECT f.id AS feed_id, f.tag, f.search_id, f.created_at,
    s.name AS search_name, s.search AS query,
    u.id, u.email, u.username, u.display_name, u.role, u.auth_epoch, u.factor_epoch,
    u.verified_at IS NOT NULL AS verified, u.totp_secret IS NOT NULL AS second_factor
    FROM private_feeds f JOIN users u ON u.id = f.owner_id LEFT JOIN saved_searches s ON s.id = f.search_id
    WHERE f.token_hash = $1 AND u.disabled_at IS NULL";

pub async fn insert(tx: &mut Tx, owner: Uuid, feed: &PrivateFeed, token_hash: &[u8]) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO private_feeds (id, owner_id, token_hash, tag, search_id, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(feed.id).bind(owner).bind(token_hash).bind(&feed.tag)
        .bind(feed.search).bind(feed.created_at).execute(conn).await.map(drop))
}

pub async fn of_user(db: &Db, owner: Uuid) -> sqlx::Result<Vec<PrivateFeed>> {
    on!(db.read(), pool => sqlx::query_as(OF_USER).bind(owner).fetch_all(pool).await)
}

pub async fn opened(db: &Db, token_hash: &[u8]) -> sqlx::Result<Option<Opened>> {
    on!(db.read(), pool => sqlx::query_as(OPENED).bind(token_hash).fetch_optional(pool).await)
}

/// Whether there was such a feed of theirs.
pub async fn set_token(tx: &mut Tx, owner: Uuid, id: Uuid, token_hash: &[u8]) -> sqlx::Result<bool> {
    const SQL: &str = "UPDATE private_feeds SET token_hash = $3 WHERE owner_id = $1 AND id = $2";
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(owner).bind(id).bind(token_hash).execute(conn)
        .await?.rows_affected());
    Ok(rows == 1)
}

/// Whether there was such a feed of theirs.
pub async fn delete(tx: &mut Tx, owner: Uuid, id: Uuid) -> sqlx::Result<bool> {
    const SQL: &str = "DELETE FROM private_feeds WHERE owner_id = $1 AND id = $2";
    let rows =
        on!(tx.conn(), conn => sqlx::query(SQL).bind(owner).bind(id).execute(conn).await?.rows_affected());
    Ok(rows == 1)
}
