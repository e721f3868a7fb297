//! Which installation this is: a name in the database, part of every key in Redis, which a restored backup changes.
//!
//! Beside a database that was restored Redis knows too much: notes that have no row any more, sessions that were begun
//! after the backup. So a mark in Redis tells how far the database had come, in numbers of the outbox; a database that
//! has not come so far takes another name, under which nothing old is found.

#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use fred::interfaces::KeysInterface as _;
use fred::types::Expiration;

use crate::context::Context;
use crate::db::Db;
use crate::redis::space::Space;
use crate::redis::{Redis, RedisDown};

/// Longer than anything under such a name lives, in seconds.
const MARK_LIVES: i64 = 400 * 24 * 3600;
/// Other nodes may take another name at the same time.
const TRIES: u32 = 5;

/// Why it is not known where Redis is to be asked.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    #[error(transparent)]
    Redis(#[from] RedisDown),
    #[error("the installation's name could not be read: {0}")]
    Database(#[from] sqlx::Error),
}

/// Tells Redis' client the name that keys begin with.
///
/// # Errors
/// The database does not answer.
pub async fn introduce(db: &Db, redis: &Redis) -> sqlx::Result<()> {
    let position = store::position(db).await?;
    // Under which processes is found out later: no count of doubts is so high.
    redis.settle(Space::new(&position.name, &[], u64::MAX));
    Ok(())
}

/// Looks how far the database has come, and notes it in Redis: what the keys there are named after, and until the next
/// doubt.
///
/// # Errors
/// Redis or the database does not answer.
pub async fn look(db: &Db, redis: &Redis, context: &Context) -> Result<Space, Lost> {
    let Some(space) = redis.space() else { return find(db, redis, context).await };
    let position = store::position(db).await?;
    if position.name != *space.name || position.at < space.marked() {
        redis.doubt();
        return find(db, redis, context).await;
    }
    mark(redis, &space, position.at).await?;
    Ok(space)
}

/// Finds out anew which Redis there is and what the database is called beside it.
///
/// # Errors
/// Redis or the database does not answer.
pub async fn find(db: &Db, redis: &Redis, context: &Context) -> Result<Space, Lost> {
    let doubts = redis.doubts();
    let processes = redis.run_ids().await?;
    let mut name = store::position(db).await?.name;
    for _ in 0..TRIES {
        let space = Space::new(&name, &processes, doubts);
        let marked: Option<i64> = redis.run(redis.first().get(mark_of(&space))).await?;
        // In this order: what was marked by then, the database has come to by now.
        let position = store::position(db).await?;
        if position.name != name {
            name = position.name;
        } else if marked.is_some_and(|marked| position.at < marked) {
            let next = data_encoding::HEXLOWER.encode(&context.random::<8>());
            tracing::warn!(
                event = "database_restored",
                "the database is older than what Redis knows of it, as after a restore: nothing of that is used"
            );
            store::rename(db, &name, &next).await?;
        } else {
            mark(redis, &space, position.at).await?;
            return Ok(redis.settle(space));
        }
    }
    Err(Lost::Redis(RedisDown))
}

async fn mark(redis: &Redis, space: &Space, at: i64) -> Result<(), Lost> {
    if space.marked() < at {
        let life = Some(Expiration::EX(MARK_LIVES));
        redis.run(redis.first().set::<(), _, _>(mark_of(space), at, life, None, false)).await?;
        space.mark(at);
    }
    Ok(())
}

fn mark_of(space: &Space) -> String {
    format!("coffer:mark:{}", space.short())
}
