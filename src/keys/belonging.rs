//! A database belongs to one master key, and holds its id. coffer does not start with another key: it could open no secret
//! and would break the audit log.

use super::{KeyId, KeySource, Keys, path, store};
use crate::db::{Db, Opening};
use crate::system::System;

/// The configured key if it fits, or a new one for a database without a key.
pub async fn open(
    db: &Db,
    source: KeySource<'_>,
    context: &System,
    opening: Opening,
) -> Result<Keys, String> {
    let configured = Keys::configured(source)?;
    let owner = owner(db).await?;
    match (configured, owner, opening) {
        (Some(keys), Some(owner), _) if keys.id() == owner => Ok(keys),
        (Some(keys), Some(owner), _) => Err(another(source, keys.id(), owner)),
        (None, Some(owner), _) => Err(missing(source, owner)),
        (Some(keys), None, Opening::Existing) => Ok(keys),
        (None, None, Opening::Existing) => {
            Err("There is no key yet. Start coffer once, or set COFFER_SECRET_KEY.".to_owned())
        }
        (Some(keys), None, Opening::Create) => claim(db, source, keys).await,
        (None, None, Opening::Create) => {
            let keys = Keys::make(&path(source), context)?;
            // Another node was faster, and nothing is sealed under this key yet.
            let claimed = claim(db, source, keys).await;
            claimed.inspect_err(|_| drop(std::fs::remove_file(path(source))))
        }
    }
}

pub async fn owner(db: &Db) -> Result<Option<KeyId>, String> {
    let id = store::key_id(db).await.map_err(|e| unknown(&e))?;
    Ok(KeyId::from_bytes(&id))
}

async fn claim(db: &Db, source: KeySource<'_>, keys: Keys) -> Result<Keys, String> {
    store::claim(db, keys.id().as_bytes()).await.map_err(|e| unknown(&e))?;
    match owner(db).await? {
        Some(owner) if owner != keys.id() => Err(another(source, keys.id(), owner)),
        _ => Ok(keys),
    }
}

fn unknown(error: &sqlx::Error) -> String {
    format!("Cannot read which key the database belongs to: {error}.")
}

pub fn another(source: KeySource<'_>, given: KeyId, owner: KeyId) -> String {
    let from = if source.secret.is_some() {
        "COFFER_SECRET_KEY".to_owned()
    } else {
        path(source).display().to_string()
    };
    format!(
        "The database belongs to the key {owner}, but {from} contains a different one, {given}. All nodes need the same key. Set COFFER_SECRET_KEY to the database's key, or copy its secret.key here.{} To change the key, run `coffer key rotate`.",
        interrupted(source, owner)
    )
}

pub fn missing(source: KeySource<'_>, owner: KeyId) -> String {
    format!(
        "The database's key {owner} is missing: there is no {}, and COFFER_SECRET_KEY is not set. Restore it from a backup or copy it from another node.{} If it is permanently lost, start over with a new key: `coffer key rotate --lost`.",
        path(source).display(),
        interrupted(source, owner)
    )
}

/// A rotation may have stopped between its commit and the renaming of the files.
fn interrupted(source: KeySource<'_>, owner: KeyId) -> String {
    let waiting = super::rotation::waiting(source);
    match Keys::read(&waiting) {
        Ok(Some(keys)) if keys.id() == owner => {
            format!(
                " A rotation was interrupted. The right key is {}: rename it to secret.key.",
                waiting.display()
            )
        }
        _ => String::new(),
    }
}
