//! The installation's name, which is part of every key in Redis and changes when a backup is restored.
//!
//! After a restore, Redis has positions and sessions from after the backup. So Redis keeps the id of the outbox's latest
//! row. If the database does not know that row, or is served without Redis, which misses its changes, it takes a new name.

#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use fred::interfaces::KeysInterface as _;
use fred::types::Expiration;

use crate::db::Db;
use crate::redis::namespace::{Namespace, OutboxPosition};
use crate::redis::{Redis, RedisDown};
use crate::system::System;

/// In seconds, and longer than the life of any key in the namespace.
const POSITION_LIFE: i64 = 400 * 24 * 3600;
const TRIES: u32 = 5;

#[derive(Debug, thiserror::Error)]
pub enum Lost {
    #[error(transparent)]
    Redis(#[from] RedisDown),
    #[error("the installation's name could not be read: {0}")]
    Database(#[from] sqlx::Error),
}

pub async fn name_redis(db: &Db, redis: &Redis) -> sqlx::Result<()> {
    let position = store::position(db).await?;
    // The run ids are found out later. No connection epoch is this high, so the namespace is not used until then.
    redis.set_namespace(Namespace::new(&position.name, &[], u64::MAX));
    Ok(())
}

/// Checks that the namespace still holds, and stores the outbox's latest position in Redis.
pub async fn check(db: &Db, redis: &Redis, context: &System) -> Result<Namespace, Lost> {
    let Some(namespace) = redis.namespace() else { return find(db, redis, context).await };
    let position = store::position(db).await?;
    let noted = namespace.noted_position().filter(|noted| position.latest() != Some(*noted));
    let is_known = match noted {
        Some(noted) => store::knows(db, noted).await?,
        None => true,
    };
    if position.name != *namespace.name || !is_known {
        redis.bump_epoch();
        return find(db, redis, context).await;
    }
    note_position(redis, &namespace, position.latest()).await?;
    Ok(namespace)
}

/// Asks Redis and the database again, and renames the installation if the database was restored.
pub async fn find(db: &Db, redis: &Redis, context: &System) -> Result<Namespace, Lost> {
    let epoch = redis.connection_epoch();
    let processes = redis.run_ids().await?;
    let mut name = store::position(db).await?.name;
    for _ in 0..TRIES {
        let namespace = Namespace::new(&name, &processes, epoch);
        let noted: Option<String> = redis.run(redis.first().get(position_key(&namespace))).await?;
        // Read after Redis' position: the database knows by now what Redis knew before.
        let position = store::position(db).await?;
        let is_known = match noted.and_then(|noted| noted.parse().ok()) {
            Some(noted) => store::knows(db, noted).await?,
            None => true,
        };
        if position.name != name {
            name = position.name;
        } else if !is_known {
            let next = new_name(context);
            tracing::warn!(
                event = "database_restored",
                "Redis knows of changes that the database does not hold, as after a restore: nothing that Redis holds is used"
            );
            store::rename(db, &name, &next).await?;
        } else {
            note_position(redis, &namespace, position.latest()).await?;
            return Ok(redis.set_namespace(namespace));
        }
    }
    Err(Lost::Redis(RedisDown))
}

/// Call it when Redis misses all changes from now on.
pub async fn leave_redis(db: &Db, context: &System) -> sqlx::Result<()> {
    let position = store::position(db).await?;
    store::rename(db, &position.name, &new_name(context)).await
}

fn new_name(context: &System) -> String {
    data_encoding::HEXLOWER.encode(&context.random::<8>())
}

async fn note_position(
    redis: &Redis,
    namespace: &Namespace,
    latest: Option<OutboxPosition>,
) -> Result<(), Lost> {
    if let Some(latest) = latest.filter(|latest| namespace.noted_position() != Some(*latest)) {
        let life = Some(Expiration::EX(POSITION_LIFE));
        let (key, value) = (position_key(namespace), latest.to_string());
        redis.run(redis.first().set::<(), _, _>(key, value, life, None, false)).await?;
        namespace.set_noted_position(latest);
    }
    Ok(())
}

fn position_key(namespace: &Namespace) -> String {
    format!("coffer:mark:{}", namespace.short())
}
