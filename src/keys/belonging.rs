//! A database belongs to one master key. With another one, coffer could open nothing sealed and would break the audit
//! trail, so the database holds the key's id, and coffer does not start with another key.

use super::{KeyId, Keys, path, store};
use crate::config::Config;
use crate::context::Context;
use crate::db::{Db, Opening};

/// The configured key if it fits, or a new one for a database without a key.
pub async fn open(db: &Db, config: &Config, context: &Context, opening: Opening) -> Result<Keys, String> {
    let configured = Keys::configured(config)?;
    let owner = owner(db).await?;
    match (configured, owner, opening) {
        (Some(keys), Some(owner), _) if keys.id() == owner => Ok(keys),
        (Some(keys), Some(owner), _) => Err(another(config, keys.id(), owner)),
        (None, Some(owner), _) => Err(missing(config, owner)),
        (Some(keys), None, Opening::Existing) => Ok(keys),
        (None, None, Opening::Existing) => {
            Err("There is no key yet: start coffer once, or set COFFER_SECRET_KEY.".to_owned())
        }
        (Some(keys), None, Opening::Create) => claim(db, config, keys).await,
        (None, None, Opening::Create) => {
            let keys = Keys::make(&path(config), context)?;
            // Another node was faster, and nothing is sealed under this key yet.
            let claimed = claim(db, config, keys).await;
            claimed.inspect_err(|_| drop(std::fs::remove_file(path(config))))
        }
    }
}

pub async fn owner(db: &Db) -> Result<Option<KeyId>, String> {
    let id = store::key_id(db).await.map_err(|e| unknown(&e))?;
    Ok(KeyId::from_bytes(&id))
}

async fn claim(db: &Db, config: &Config, keys: Keys) -> Result<Keys, String> {
    store::claim(db, keys.id().as_bytes()).await.map_err(|e| unknown(&e))?;
    match owner(db).await? {
        Some(owner) if owner != keys.id() => Err(another(config, keys.id(), owner)),
        _ => Ok(keys),
    }
}

fn unknown(error: &sqlx::Error) -> String {
    format!("The database does not tell which key it belongs to: {error}.")
}

pub fn another(config: &Config, given: KeyId, owner: KeyId) -> String {
    let from = if config.secret_key.is_some() {
        "COFFER_SECRET_KEY".to_owned()
    } else {
        path(config).display().to_string()
    };
    format!(
        "The database belongs to the key {owner}, and {from} holds another one, {given}. All nodes need the same: set COFFER_SECRET_KEY to the key that the database was used with, or copy that secret.key here.{} To change the key, run `coffer key rotate`.",
        interrupted(config, owner)
    )
}

pub fn missing(config: &Config, owner: KeyId) -> String {
    format!(
        "The key {owner}, which the database belongs to, is missing: there is no {}, and COFFER_SECRET_KEY is not set. Restore it from a backup, or take it from another node.{} If it is lost for good, `coffer key rotate --lost` begins anew with another one.",
        path(config).display(),
        interrupted(config, owner)
    )
}

/// A rotation may have stopped between its commit and the renaming of the files.
fn interrupted(config: &Config, owner: KeyId) -> String {
    let waiting = super::rotation::waiting(config);
    match Keys::read(&waiting) {
        Ok(Some(keys)) if keys.id() == owner => {
            format!(
                " A rotation was interrupted: {} is the right key, rename it to secret.key.",
                waiting.display()
            )
        }
        _ => String::new(),
    }
}
