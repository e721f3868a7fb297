//! The name of the installation, which is part of every key in Redis. A restored backup gets a new name.
//!
//! After a restore, Redis holds what the database does not: rows of the outbox that are gone, sessions from after the
//! backup. So a mark in Redis names the latest row of the outbox. A database without that row takes another name, under
//! which Redis holds nothing. A start without Redis renames too, since Redis then misses changes.

#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use fred::interfaces::KeysInterface as _;
use fred::types::Expiration;

use crate::context::Context;
use crate::db::Db;
use crate::redis::space::{Mark, Space};
use crate::redis::{Redis, RedisDown};

/// In seconds; longer than any other key lives.
const MARK_LIVES: i64 = 400 * 24 * 3600;
/// Other nodes may rename at the same time.
const TRIES: u32 = 5;

#[derive(Debug, thiserror::Error)]
pub enum Lost {
    #[error(transparent)]
    Redis(#[from] RedisDown),
    #[error("the installation's name could not be read: {0}")]
    Database(#[from] sqlx::Error),
}

/// Sets the prefix of keys in Redis.
pub async fn introduce(db: &Db, redis: &Redis) -> sqlx::Result<()> {
    let position = store::position(db).await?;
    // The processes are found out later, since no count of doubts is so high.
    redis.settle(Space::new(&position.name, &[], u64::MAX));
    Ok(())
}

/// Writes the position of the database to the mark in Redis, and returns the names of keys, valid until the next doubt.
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

/// Identifies the processes of Redis, and renames the installation if it does not know the mark.
pub async fn find(db: &Db, redis: &Redis, context: &Context) -> Result<Space, Lost> {
    let doubts = redis.doubts();
    let processes = redis.run_ids().await?;
    let mut name = store::position(db).await?.name;
    for _ in 0..TRIES {
        let space = Space::new(&name, &processes, doubts);
        let marked: Option<String> = redis.run(redis.first().get(mark_of(&space))).await?;
        // Read after the mark, so that the database knows every row that was marked.
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

/// For a start without Redis: a later start with it must find nothing from before.
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
