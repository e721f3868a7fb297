//! Which installation this is: a name in the database, part of every key in Redis, which a restored backup changes.
//!
//! Beside a database that was restored Redis knows too much: notes that have no row any more, sessions that were begun
//! after the backup. So a mark in Redis names the latest row of the outbox; a database that does not know that row takes
//! another name, under which nothing old is found. It does so too when it is served without Redis, which then misses
//! what changes.

#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use fred::interfaces::KeysInterface as _;
use fred::types::Expiration;

use crate::context::Context;
use crate::db::Db;
use crate::redis::space::{Mark, Space};
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
pub async fn introduce(db: &Db, redis: &Redis) -> sqlx::Result<()> {
    let position = store::position(db).await?;
    // Under which processes is found out later: no count of doubts is so high.
    redis.settle(Space::new(&position.name, &[], u64::MAX));
    Ok(())
}

/// Looks how far the database has come, and notes it in Redis: what the keys there are named after, and until the next
/// doubt.
pub async fn look(db: &Db, redis: &Redis, context: &Context) -> Result<Space, Lost> {
    let Some(space) = redis.space() else { return find(db, redis, context).await };
    let position = store::position(db).await?;
    let marked = space.marked().filter(|marked| position.mark() != Some(*marked));
    let is_known = match marked {
        Some(marked) => store::knows(db, marked).await?,
        None => true,
    };
    if position.name != *space.name || !is_known {
        redis.doubt();
        return find(db, redis, context).await;
    }
    mark(redis, &space, position.mark()).await?;
    Ok(space)
}

/// Finds out anew which Redis there is and what the database is called beside it.
pub async fn find(db: &Db, redis: &Redis, context: &Context) -> Result<Space, Lost> {
    let doubts = redis.doubts();
    let processes = redis.run_ids().await?;
    let mut name = store::position(db).await?.name;
    for _ in 0..TRIES {
        let space = Space::new(&name, &processes, doubts);
        let marked: Option<String> = redis.run(redis.first().get(mark_of(&space))).await?;
        // In this order: what was marked by then, the database knows by now.
        let position = store::position(db).await?;
        let is_known = match marked.and_then(|marked| marked.parse().ok()) {
            Some(marked) => store::knows(db, marked).await?,
            None => true,
        };
        if position.name != name {
            name = position.name;
        } else if !is_known {
            let next = another_name(context);
            tracing::warn!(
                event = "database_restored",
                "Redis knows of changes that the database does not hold, as after a restore: nothing that Redis holds is used"
            );
            store::rename(db, &name, &next).await?;
        } else {
            mark(redis, &space, position.mark()).await?;
            return Ok(redis.settle(space));
        }
    }
    Err(Lost::Redis(RedisDown))
}

/// Redis is not told of changes from now on. A coffer that asks it again must find nothing from before.
pub async fn leave_redis(db: &Db, context: &Context) -> sqlx::Result<()> {
    let position = store::position(db).await?;
    store::rename(db, &position.name, &another_name(context)).await
}

fn another_name(context: &Context) -> String {
    data_encoding::HEXLOWER.encode(&context.random::<8>())
}

async fn mark(redis: &Redis, space: &Space, latest: Option<Mark>) -> Result<(), Lost> {
    if let Some(latest) = latest.filter(|latest| space.marked() != Some(*latest)) {
        let life = Some(Expiration::EX(MARK_LIVES));
        let (key, value) = (mark_of(space), latest.to_string());
        redis.run(redis.first().set::<(), _, _>(key, value, life, None, false)).await?;
        space.mark(latest);
    }
    Ok(())
}

fn mark_of(space: &Space) -> String {
    format!("coffer:mark:{}", space.short())
}
