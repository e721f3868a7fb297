//! `coffer migrate`: the schema, brought up to date or only looked at.

use crate::config::Config;
use crate::data_dir;
use crate::db::{Db, Schema, StartError, migrations};

/// It needs no master key.
pub async fn migrate(config: &Config) -> Result<(), String> {
    if config.database().starts_with("sqlite:") {
        data_dir::prepare(&config.data_dir)?;
    }
    let db = Db::open(&config.database(), 1).await.map_err(|e| e.to_string())?;
    println!("The schema of the {} database is up to date.", db.name());
    db.close().await;
    Ok(())
}

/// Changes nothing, also beside a running coffer. The error says what to do.
pub async fn check(config: &Config) -> Result<(), String> {
    let db = Db::look(&config.database()).await.map_err(|e| e.to_string())?;
    let (name, schema) = (db.name(), db.schema().await);
    db.close().await;
    match schema.map_err(|e| e.to_string())? {
        Schema::Current => {
            println!("The schema of the {name} database is up to date.");
            Ok(())
        }
        Schema::Empty => Err(StartError::no_library(&config.database()).to_string()),
        Schema::Behind(count) => Err(format!(
            "{} pending. Make a backup, then run `coffer migrate` or start this coffer, which does the same.",
            migrations(count)
        )),
        Schema::Newer(version) => Err(StartError::Newer(version).to_string()),
        Schema::Different(version) => Err(StartError::Different(version).to_string()),
    }
}
