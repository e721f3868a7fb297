//! The SQL of what the owner has already: addresses and notes, in the library and in the trash.

use sqlx::{AssertSqlSafe, QueryBuilder};
use uuid::Uuid;

use crate::cache::Write;
use crate::db::{Engine, on};
use crate::resources::bulk::Before;
use crate::resources::draft::Checked;
use crate::resources::import::Ready;
use crate::resources::store::columns::tag_names;
use crate::resources::{Tags, Visibility};

/// A resource that was there before, with what its tags make of it.
#[derive(sqlx::FromRow)]
pub struct Holder {
    pub id: Uuid,
    pub url_key: Option<Vec<u8>>,
    pub version: i64,
    pub visibility: String,
    pub body: String,
    pub pinned: bool,
    pub unread: bool,
    #[sqlx(rename = "marks")]
    pub index_terms: String,
    #[sqlx(try_from = "Option<String>")]
    pub tags: Tags,
}

impl Holder {
    pub(super) fn before(&self) -> Before {
        Before {
            tags: self.tags.0.clone(),
            visibility: Visibility::parse(&self.visibility).unwrap_or_default(),
            pinned: self.pinned,
            unread: self.unread,
        }
    }
}

/// What the owner had before an import.
#[derive(Clone, Copy)]
pub struct Earlier {
    pub owner: Uuid,
    /// What this import has brought does not count.
    pub import: Uuid,
}

/// By what resources are found.
#[derive(Clone, Copy)]
pub enum Holding<'a> {
    /// By the keys of their addresses.
    Addresses(&'a [Vec<u8>]),
    Notes(&'a [Uuid]),
}

impl Holding<'_> {
    const fn is_empty(self) -> bool {
        match self {
            Self::Addresses(keys) => keys.is_empty(),
            Self::Notes(ids) => ids.is_empty(),
        }
    }
}

/// The condition of [`holders`], for the owner `$1` and the keys `$2` and so on. Each key is looked up for itself, and the owner is
/// hidden from the planner: it may believe that the owner has few entries, and would read all of them to find the keys.
pub fn held(holding: Holding<'_>) -> String {
    let (column, count) = match holding {
        Holding::Addresses(keys) => ("url_key", keys.len()),
        Holding::Notes(ids) => ("id", ids.len()),
    };
    let keys: Vec<String> = (2..).take(count).map(|place| format!("(${place})")).collect();
    format!(
        "WHERE r.id IN (WITH wanted (key) AS (VALUES {}) SELECT (SELECT h.id FROM resources h
            WHERE h.owner_id = (SELECT $1) AND h.trashed_at IS NULL AND h.{column} = wanted.key) FROM wanted)",
        keys.join(", ")
    )
}

macro_rules! bind_keys {
    ($query:expr, $holding:expr) => {
        match $holding {
            Holding::Addresses(keys) => keys.iter().fold($query, |query, key| query.bind(key.as_slice())),
            Holding::Notes(ids) => ids.iter().fold($query, |query, id| query.bind(*id)),
        }
    };
}

/// The owner's resources that hold these addresses, or are these notes. They stay as they are until the
/// transaction ends.
pub async fn holders(tx: &mut Write, owner: Uuid, holding: Holding<'_>) -> sqlx::Result<Vec<Holder>> {
    const SQL: &str = concat!(
        "SELECT r.id, r.url_key, r.version, r.visibility, r.body, r.pinned, r.unread, r.marks, ",
        tag_names!(),
        " AS tags FROM resources r"
    );
    if holding.is_empty() {
        return Ok(Vec::new());
    }
    let held = held(holding);
    if let Engine::Postgres(conn) = tx.conn() {
        // In one order, so that two imports don't wait for each other.
        let lock = format!("SELECT r.id FROM resources r {held} ORDER BY r.id FOR UPDATE");
        let lock = sqlx::query(AssertSqlSafe(lock)).persistent(false).bind(owner);
        bind_keys!(lock, holding).execute(conn).await?;
    }
    on!(tx.conn(), conn => {
        let query = sqlx::query_as(AssertSqlSafe(format!("{SQL} {held}"))).persistent(false).bind(owner);
        bind_keys!(query, holding).fetch_all(conn).await
    })
}

/// The owner's note that says the same, if there is one: for the second of equal ones in a file the second. They are in the order of
/// an export.
pub async fn same_note(tx: &mut Write, earlier: Earlier, ready: &Ready) -> sqlx::Result<Option<Uuid>> {
    const SQL: &str = "SELECT id FROM resources WHERE owner_id = $1 AND title_key = $2 AND kind = 'note'
            AND title = $3 AND body = $4 AND trashed_at IS NULL AND (import_id IS NULL OR import_id <> $5)
        ORDER BY created_at, id LIMIT 1 OFFSET $6";
    let (note, skip) = (&ready.checked, i64::from(ready.equal_before));
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(earlier.owner).bind(&note.derived.title_key)
        .bind(&note.title).bind(&note.body).bind(earlier.import).bind(skip).fetch_optional(conn).await)
}

pub async fn same_note_in_trash(
    tx: &mut Write,
    earlier: Earlier,
    note: &Checked,
) -> sqlx::Result<Option<Uuid>> {
    const SQL: &str =
        "SELECT id FROM resources WHERE owner_id = $1 AND kind = 'note' AND title = $2 AND body = $3
            AND trashed_at IS NOT NULL AND (import_id IS NULL OR import_id <> $4)
        ORDER BY trashed_at DESC, id LIMIT 1";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(earlier.owner).bind(&note.title).bind(&note.body)
        .bind(earlier.import).fetch_optional(conn).await)
}

pub async fn has_notes_in_trash(tx: &mut Write, owner: Uuid) -> sqlx::Result<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM resources
        WHERE owner_id = $1 AND kind = 'note' AND trashed_at IS NOT NULL)";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(owner).fetch_one(conn).await)
}

#[derive(sqlx::FromRow)]
pub struct Trashed {
    pub id: Uuid,
    pub url_key: Vec<u8>,
}

/// Those of the addresses that are in the owner's trash; of several entries the one that went there last is the last.
pub async fn addresses_in_trash(
    tx: &mut Write,
    earlier: Earlier,
    keys: &[&[u8]],
) -> sqlx::Result<Vec<Trashed>> {
    const SQL: &str =
        "SELECT r.id, r.url_key FROM resources r WHERE r.trashed_at IS NOT NULL AND r.owner_id = ";
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    on!(tx.conn(), conn => {
        let mut query = QueryBuilder::new(SQL);
        query.push_bind(earlier.owner).push(" AND (r.import_id IS NULL OR r.import_id <> ").push_bind(earlier.import);
        let mut list = query.push(") AND r.url_key IN (").separated(", ");
        for key in keys {
            list.push_bind(*key);
        }
        query.push(") ORDER BY r.trashed_at").build_query_as().persistent(false).fetch_all(conn).await
    })
}
