//! `coffer backup` and `coffer restore`.

use std::fs;

use super::work::cannot_write;
use crate::audit::AuditLog;
use crate::backup::{self, Manifest, Reader};
use crate::cli::args::{BackupArgs, RestoreArgs};
use crate::config::Config;
use crate::data_dir;
use crate::db::{Db, Opening};
use crate::keys::Keys;
use crate::system::System;
use crate::telemetry::metrics::Metrics;

pub async fn backup(args: BackupArgs, config: Config) -> Result<(), String> {
    let file = data_dir::private(&args.file).map_err(|e| cannot_write(&args.file, &e))?;
    let context = System::real();
    let making = backup::make(&config, &context, &args.file, file, args.with_key);
    let made = Box::pin(making).await;
    let manifest = made.inspect_err(|_| drop(fs::remove_file(&args.file)))?;
    println!("Saved to {}: {}. The file was verified.", args.file.display(), contents(&manifest));
    if args.with_key {
        println!("The key {} is included. Keep the file where only you can read it.", manifest.key_id);
    } else {
        println!("The key {} is not included. Back it up separately.", manifest.key_id);
    }
    Ok(())
}

pub async fn restore(args: RestoreArgs, config: Config) -> Result<(), String> {
    let reader = Reader::open(&args.file)?;
    if args.check {
        let made = reader.manifest.made_at.moment();
        println!("The backup of {made} is intact. Contents: {}.", contents(&reader.manifest));
        return Ok(());
    }
    let restored = backup::restore(&config, reader).await?;
    println!("Restored {}.", contents(&restored.manifest));
    if !restored.has_key {
        println!(
            "The key {} is missing. Put it into {} or set COFFER_SECRET_KEY before you start coffer.",
            restored.manifest.key_id,
            crate::keys::path(config.key_source()).display()
        );
        return Ok(());
    }
    verify_trail(&config).await
}

async fn verify_trail(config: &Config) -> Result<(), String> {
    let db = Db::open_as(&config.database(), 1, Opening::Existing).await.map_err(|e| e.to_string())?;
    let context = System::real();
    let keys = Keys::configured(config.key_source())?.ok_or("The key has disappeared.")?;
    let verified = AuditLog::new(context.clone(), &keys, &Metrics::new(&context), &[]).verify(&db).await;
    db.close().await;
    let verified = verified.map_err(|e| format!("The database answers: {e}."))?;
    match verified.fault {
        None => {
            println!("The audit trail is intact: {} events. You can start coffer now.", verified.events);
            Ok(())
        }
        Some(fault) => Err(format!(
            "Everything is restored, but the audit trail was already broken when the backup was made: {fault}."
        )),
    }
}

fn contents(manifest: &Manifest) -> String {
    format!(
        "{} accounts, {} entries and {} audit events from {} (coffer {})",
        manifest.rows("users"),
        manifest.rows("resources"),
        manifest.rows("audit_events"),
        manifest.engine,
        manifest.coffer
    )
}
