//! The SQL of parts of words. Triggers note each word of a title, a tag or a host by its ends.

use sqlx::AssertSqlSafe;

use crate::db::{Db, Engine, Tx, on};
use crate::resources::query::Query;

pub const FIND: &str = "SELECT DISTINCT word FROM
        (SELECT word FROM word_parts WHERE part >= $1 AND part < $2 ORDER BY part, word LIMIT 100) found
    ORDER BY word";

/// Words that one transaction looks at: other writers wait for that.
const SWEPT: i64 = 100;
/// Transactions of one sweep.
const STEPS: usize = 50;

/// Lets the words that contain the one still being typed match too.
pub async fn widen(db: &Db, query: &mut Query) -> sqlx::Result<()> {
    if let Some(part) = query.open_word() {
        let words = containing(db, part).await?;
        query.widen(words);
    }
    Ok(())
}

/// The words that contain this and do not begin with it. Of very many, those that end with it.
pub async fn containing(db: &Db, part: &str) -> sqlx::Result<Vec<String>> {
    let end = format!("{part}\u{10FFFF}");
    on!(db.read(), pool => sqlx::query_scalar(FIND).bind(part).bind(end).fetch_all(pool).await)
}

#[derive(sqlx::FromRow)]
struct Noted {
    word: String,
    is_unused: bool,
}

/// Forgets words that no entry has any more: of some thousands, those after `last`. Returns the last of them, or nothing at
/// the end of all.
pub async fn sweep(db: &Db, mut last: String) -> sqlx::Result<String> {
    for _ in 0..STEPS {
        let mut tx = db.begin().await?;
        let noted = after(&mut tx, &last).await?;
        let Some(end) = noted.last() else { return Ok(String::new()) };
        last.clone_from(&end.word);
        for Noted { word, .. } in noted.iter().filter(|noted| noted.is_unused) {
            forget(&mut tx, word).await?;
        }
        tx.commit().await?;
    }
    Ok(last)
}

/// The next words, in the order of their longest ends.
async fn after(tx: &mut Tx, last: &str) -> sqlx::Result<Vec<Noted>> {
    let is_used = match tx.conn() {
        Engine::Postgres(_) => {
            "SELECT 1 FROM resources r WHERE r.search @@ to_tsquery('simple', '''' || w.word || '''')"
        }
        Engine::Sqlite(_) => "SELECT 1 FROM resources_fts WHERE resources_fts MATCH '\"' || w.word || '\"'",
    };
    let sql = format!(
        "SELECT w.word, NOT EXISTS ({is_used}) AS is_unused FROM
            (SELECT part, word FROM word_parts WHERE part = substr(word, 2) AND (part, word) > (substr($1, 2), $1)
                ORDER BY part, word LIMIT $2) w
            ORDER BY w.part, w.word"
    );
    on!(tx.conn(), conn => sqlx::query_as(AssertSqlSafe(sql)).bind(last).bind(SWEPT).fetch_all(conn).await)
}

async fn forget(tx: &mut Tx, word: &str) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM word_parts WHERE part = $1 AND word = $2";
    let ends = word.char_indices().skip(1).map(|(at, _)| &word[at..]);
    for part in ends {
        on!(tx.conn(), conn => sqlx::query(SQL).bind(part).bind(word).execute(conn).await.map(drop))?;
    }
    Ok(())
}
