//! The SQL of share links.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cache::Write;
use crate::db::{Db, on};
use crate::identity::Member;
use crate::timestamp::Timestamp;

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Target {
    Entry(Uuid),
    /// A tag, with the tags below it.
    Tag(String),
    Search(String),
}

/// A link as its owner sees it.
#[derive(Clone, Debug)]
pub struct ShareLink {
    pub id: Uuid,
    pub target: Target,
    /// The title of the entry, the name of the tag or the search.
    pub title: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// By others than its owner.
    pub views: i64,
}

/// A link as a request opens it, with its owner.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Share {
    pub id: Uuid,
    pub target: Target,
    pub expires_at: Timestamp,
    pub owner: Member,
}

#[derive(sqlx::FromRow)]
struct Columns {
    resource_id: Option<Uuid>,
    tag: Option<String>,
    query: Option<String>,
}

#[derive(sqlx::FromRow)]
struct LinkRow {
    id: Uuid,
    #[sqlx(flatten)]
    target: Columns,
    title: String,
    created_at: Timestamp,
    expires_at: Timestamp,
    views: i64,
}

#[derive(sqlx::FromRow)]
struct ShareRow {
    link_id: Uuid,
    #[sqlx(flatten)]
    target: Columns,
    expires_at: Timestamp,
    #[sqlx(flatten)]
    owner: Member,
}

pub const OF_USER: &str = "SELECT s.id, s.resource_id, s.tag, s.query, s.created_at, s.expires_at, s.views,
    COALESCE(r.title, s.tag, s.query) AS title
    FROM share_links s LEFT JOIN resources r ON r.id = s.resource_id
    WHERE s.owner_id = $1 ORDER BY s.id DESC";
pub const OPENED: &str = "SELECT s.id AS link_id, s.resource_id, s.tag, s.query, s.expires_at,
    u.id, u.email, u.username, u.display_name, u.role, u.auth_epoch, u.factor_epoch,
    u.verified_at IS NOT NULL AS verified, u.totp_secret IS NOT NULL AS second_factor
    FROM share_links s JOIN users u ON u.id = s.owner_id WHERE s.token_hash = $1 AND u.disabled_at IS NULL";

impl Columns {
    fn target(self) -> Target {
        match (self.resource_id, self.tag) {
            (Some(id), _) => Target::Entry(id),
            (None, Some(tag)) => Target::Tag(tag),
            (None, None) => Target::Search(self.query.unwrap_or_default()),
        }
    }
}

impl From<LinkRow> for ShareLink {
    fn from(row: LinkRow) -> Self {
        let LinkRow { id, target, title, created_at, expires_at, views } = row;
        Self { id, target: target.target(), title, created_at, expires_at, views }
    }
}

impl From<ShareRow> for Share {
    fn from(row: ShareRow) -> Self {
        let ShareRow { link_id, target, expires_at, owner } = row;
        Self { id: link_id, target: target.target(), expires_at, owner }
    }
}

pub async fn insert(tx: &mut Write, owner: Uuid, link: &ShareLink, token_hash: &[u8]) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO share_links
        (id, owner_id, token_hash, resource_id, tag, query, created_at, expires_at, views)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)";
    let (entry, tag, query) = match &link.target {
        Target::Entry(id) => (Some(*id), None, None),
        Target::Tag(name) => (None, Some(name), None),
        Target::Search(text) => (None, None, Some(text)),
    };
    on!(tx.conn(), conn => sqlx::query(SQL).bind(link.id).bind(owner).bind(token_hash).bind(entry).bind(tag)
        .bind(query).bind(link.created_at).bind(link.expires_at).execute(conn).await.map(drop))
}

pub async fn of_user(db: &Db, owner: Uuid) -> sqlx::Result<Vec<ShareLink>> {
    let rows: Vec<LinkRow> =
        on!(db.read(), pool => sqlx::query_as(OF_USER).bind(owner).fetch_all(pool).await?);
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The hash of its token, if there was such a link of theirs.
pub async fn delete(tx: &mut Write, owner: Uuid, id: Uuid) -> sqlx::Result<Option<Vec<u8>>> {
    const SQL: &str = "DELETE FROM share_links WHERE owner_id = $1 AND id = $2 RETURNING token_hash";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(owner).bind(id).fetch_optional(conn).await)
}

pub async fn opened(db: &Db, token_hash: &[u8]) -> sqlx::Result<Option<Share>> {
    let row: Option<ShareRow> =
        on!(db.read(), pool => sqlx::query_as(OPENED).bind(token_hash).fetch_optional(pool).await?);
    Ok(row.map(Into::into))
}

pub async fn count_view(db: &Db, id: Uuid) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE share_links SET views = views + 1 WHERE id = $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).execute(conn).await.map(drop))?;
    tx.commit().await
}

pub async fn forget(db: &Db, before: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM share_links WHERE expires_at < $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(before).execute(conn).await.map(drop))?;
    tx.commit().await
}
