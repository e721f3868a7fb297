//! `coffer key`: replaces the master key.

use std::path::{Path, PathBuf};

use super::rotation::{self, Rotated};
use super::sentence;
use crate::cli::args::{KeyAction, Rotate};
use crate::config::Config;
use crate::db::{Db, Opening};
use crate::keys::rotation::{Rotation, waiting};
use crate::keys::{KeyId, Keys, belonging, path, store};
use crate::system::System;

pub async fn run(action: KeyAction, config: Config) -> Result<(), String> {
    let KeyAction::Rotate(rotate) = action;
    let context = System::real();
    // One connection of our own, so that all others are other coffers'.
    let db = Db::open_as(&config.database(), 1, Opening::Existing).await.map_err(|e| e.to_string())?;
    let done = change(&db, &rotate, &config, &context).await;
    db.close().await;
    done
}

async fn change(db: &Db, rotate: &Rotate, config: &Config, context: &System) -> Result<(), String> {
    let owner = belonging::owner(db).await?;
    let owner = owner.ok_or("No key has been used with this database yet, so there is nothing to rotate.")?;
    let old = old(rotate, config, owner)?;
    let place = new_place(rotate, config)?;
    let new = Keys::read(&place)?.map_or_else(|| Keys::make(&place, context), Ok)?;
    if new.id() == owner {
        return Err(format!(
            "{} contains the current key. Choose a file with a different one.",
            place.display()
        ));
    }
    let others = store::others(db).await.map_err(|e| sentence(&e.into()))?;
    if others > 0 {
        return Err("Another coffer is connected to this database. Stop every node first.".to_owned());
    }
    let rotation = Rotation { context, owner, old: old.as_ref(), new: &new };
    let rotated = rotation::run(&rotation, db).await.map_err(|e| sentence(&e.into()))?;
    report(&rotated, owner, new.id());
    if rotate.to.is_some() {
        println!(
            "Set COFFER_SECRET_KEY on every node to the content of {}, then start the nodes.",
            place.display()
        );
        return Ok(());
    }
    put_in_force(config, owner)
}

/// The old key; `None` when it is lost.
fn old(rotate: &Rotate, config: &Config, owner: KeyId) -> Result<Option<Keys>, String> {
    match Keys::configured(config.key_source())? {
        Some(keys) if keys.id() == owner && rotate.lost => {
            Err("The key is not lost. Omit --lost to keep all data.".to_owned())
        }
        Some(keys) if keys.id() == owner => Ok(Some(keys)),
        _ if rotate.lost => Ok(None),
        Some(keys) => Err(belonging::another(config.key_source(), keys.id(), owner)),
        None => Err(belonging::missing(config.key_source(), owner)),
    }
}

fn new_place(rotate: &Rotate, config: &Config) -> Result<PathBuf, String> {
    match &rotate.to {
        Some(file) => Ok(file.clone()),
        None if config.secret_key.is_some() => {
            Err("The key comes from COFFER_SECRET_KEY, which coffer can't change. Choose a file for the new key with --to, then set COFFER_SECRET_KEY to its content.".to_owned())
        }
        None => Ok(waiting(config.key_source())),
    }
}

fn report(rotated: &Rotated, old: KeyId, new: KeyId) {
    let Rotated { emails, webhooks, second_factors, switched_off } = rotated;
    println!(
        "The database now uses the key {new} instead of {old}. Re-encrypted: {} queued emails, {} webhooks, {second_factors} two-step logins.",
        emails.kept, webhooks.kept
    );
    if emails.lost + webhooks.lost > 0 {
        println!(
            "Deleted because their secrets could not be decrypted: {} queued emails, {} webhooks. Ask their owners to add their webhooks again.",
            emails.lost, webhooks.lost
        );
    }
    if !switched_off.is_empty() {
        println!(
            "Two-step login is turned off for {} accounts because their secrets could not be decrypted. The audit trail lists them.",
            switched_off.len()
        );
    }
}

/// The old key's file stays, for earlier backups.
fn put_in_force(config: &Config, owner: KeyId) -> Result<(), String> {
    let (current, new) = (path(config.key_source()), waiting(config.key_source()));
    let old = current.with_extension(format!("key.{owner}"));
    let renamed = rename(&current, &old).and_then(|()| std::fs::rename(&new, &current));
    renamed.map_err(|e| {
        format!(
            "The key was changed, but its file could not be put in place: {e}. Rename {} to {}.",
            new.display(),
            current.display()
        )
    })?;
    println!(
        "The new key is in {}. Copy it to every node, and keep a copy of it apart from your backups.",
        current.display()
    );
    if old.exists() {
        println!("Older backups need {}.", old.display());
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> std::io::Result<()> {
    if from.exists() { std::fs::rename(from, to) } else { Ok(()) }
}
