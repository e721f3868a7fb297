//! Backups: all that the database holds at one moment, while coffer runs, in one file that proves that it is whole.

mod archive;
mod postgres;
mod sqlite;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use data_encoding::HEXLOWER;
use secrecy::ExposeSecret as _;

use self::archive::{FORMAT, Sequence, Table, Writer};
pub use self::archive::{Manifest, Reader};
use crate::config::Config;
use crate::data_dir;
use crate::db::{Db, LockFile, Opening, Schema, StartError, on};
use crate::keys::{self, KeyId, Keys};
use crate::system::System;

const KEY: &str = "secret.key";

struct Facts {
    schema: i64,
    key_id: Vec<u8>,
    tables: Vec<Table>,
    sequences: Vec<Sequence>,
}

/// Writes a backup to a new file, and reads it again. The error says what to do.
pub async fn make(
    config: &Config,
    context: &System,
    path: &Path,
    file: File,
    with_key: bool,
) -> Result<Manifest, String> {
    let db = Db::look(&config.database()).await.map_err(|e| e.to_string())?;
    let made = Box::pin(write(&db, config, context, path, Writer::new(file), with_key)).await;
    db.close().await;
    made?;
    Reader::open(path).map(|reader| reader.manifest)
}

async fn write(
    db: &Db,
    config: &Config,
    context: &System,
    path: &Path,
    mut archive: Writer,
    with_key: bool,
) -> Result<(), String> {
    match db.schema().await.map_err(|e| e.to_string())? {
        Schema::Current | Schema::Behind(_) => {}
        Schema::Empty => return Err(StartError::no_library(&config.database()).to_string()),
        Schema::Newer(version) => return Err(StartError::Newer(version).to_string()),
        Schema::Different(version) => return Err(StartError::Different(version).to_string()),
    }
    let facts = match db {
        Db::Postgres(pool) => postgres::write(pool, &mut archive).await?,
        Db::Sqlite { read, .. } => sqlite::write(read, &mut archive, path).await?,
    };
    if with_key {
        let key = key_text(config, &facts.key_id)?;
        let put = archive.begin(KEY).and_then(|()| archive.write_all(key.as_bytes()));
        put.map_err(|e| format!("Cannot write the backup: {e}."))?;
    }
    let manifest = Manifest {
        format: FORMAT,
        coffer: env!("CARGO_PKG_VERSION").to_owned(),
        engine: db.name().to_owned(),
        schema: facts.schema,
        made_at: context.now(),
        key_id: HEXLOWER.encode(&facts.key_id),
        tables: facts.tables,
        sequences: facts.sequences,
        entries: Vec::new(),
    };
    archive.finish(manifest).map_err(|e| format!("Cannot write the backup: {e}."))
}

/// The key in force, which must be the database's.
fn key_text(config: &Config, owner: &[u8]) -> Result<String, String> {
    let keys = Keys::configured(config.key_source())?;
    let owner = KeyId::from_bytes(owner).ok_or("No key has been used with this database yet.")?;
    match keys {
        Some(keys) if keys.id() == owner => {}
        Some(keys) => return Err(keys::belonging::another(config.key_source(), keys.id(), owner)),
        None => return Err(keys::belonging::missing(config.key_source(), owner)),
    }
    match &config.secret_key {
        Some(secret) => Ok(secret.expose_secret().to_owned()),
        None => fs::read_to_string(keys::path(config.key_source()))
            .map_err(|e| format!("Cannot read the key: {e}.")),
    }
}

pub struct Restored {
    pub manifest: Manifest,
    /// Whether the key is in place, from the backup or from before.
    pub has_key: bool,
}

/// Into an empty library or none, in a directory that nothing uses. An error says what to do, and whether it changed
/// anything.
pub async fn restore(config: &Config, mut reader: Reader) -> Result<Restored, String> {
    let key = key_to_write(config, &mut reader)?;
    let url = config.database();
    let wanted = reader.manifest.engine.as_str();
    match url.strip_prefix("sqlite:") {
        Some(path) if wanted == "sqlite" => {
            let path = Path::new(path.trim_start_matches("//"));
            data_dir::prepare(&config.data_dir)?;
            let _lock = LockFile::take(path).map_err(|e| e.to_string())?;
            if path.exists() {
                let db = Db::look(&url).await.map_err(|e| e.to_string())?;
                refuse_a_library(&db).await?;
            }
            sqlite::load(&mut reader, path).await?;
        }
        None if wanted == "postgres" => {
            let db = Db::connect(&url, 1, Opening::Existing).await.map_err(|e| e.to_string())?;
            let loaded = load_postgres(&db, &mut reader).await;
            db.close().await;
            loaded?;
        }
        _ => {
            return Err(format!(
                "The backup is from {wanted}, but COFFER_DATABASE_URL uses a different engine."
            ));
        }
    }
    if let Some(key) = &key {
        put_key(config, key)?;
    }
    Db::open(&url, 1).await.map_err(|e| e.to_string())?.close().await;
    let has_key = Keys::configured(config.key_source())?.is_some();
    Ok(Restored { manifest: reader.manifest, has_key })
}

async fn load_postgres(db: &Db, reader: &mut Reader) -> Result<(), String> {
    let Db::Postgres(pool) = db else { return Ok(()) };
    match db.schema().await.map_err(|e| e.to_string())? {
        Schema::Newer(version) => return Err(StartError::Newer(version).to_string()),
        Schema::Different(version) => return Err(StartError::Different(version).to_string()),
        Schema::Empty => {}
        Schema::Current | Schema::Behind(_) => refuse_a_library(db).await?,
    }
    if keys::store::others(db).await.map_err(|e| sql(&e))? > 0 {
        return Err("Another coffer is connected to this database. Stop every node first.".to_owned());
    }
    db.migrate_to(reader.manifest.schema).await.map_err(|e| e.to_string())?;
    postgres::load(pool, reader).await
}

/// Refuses to overwrite a library with accounts or events.
async fn refuse_a_library(db: &Db) -> Result<(), String> {
    const SQL: &str = "SELECT (SELECT COUNT(*) FROM users) + (SELECT seq FROM audit_head)";
    let found: i64 =
        on!(db.read(), pool => sqlx::query_scalar(SQL).fetch_one(pool).await.map_err(|e| sql(&e))?);
    if found == 0 {
        return Ok(());
    }
    Err("There is already a library here, and coffer doesn't overwrite it. Restore to a different data directory or an empty database, then point coffer to it.".to_owned())
}

/// The backup's key, if there is none. Another key in place is refused.
fn key_to_write(config: &Config, reader: &mut Reader) -> Result<Option<String>, String> {
    let owner = HEXLOWER.decode(reader.manifest.key_id.as_bytes()).ok().and_then(|id| KeyId::from_bytes(&id));
    match (Keys::configured(config.key_source())?, owner) {
        (Some(keys), Some(owner)) if keys.id() != owner => Err(format!(
            "The backup belongs to the key {owner}, but a different key is in use here: {}. Set COFFER_SECRET_KEY to the right key, or move {} away.",
            keys.id(),
            keys::path(config.key_source()).display()
        )),
        (None, Some(_)) if reader.manifest.holds(KEY) => {
            reader.text(KEY).map(Some).map_err(|e| format!("Cannot read the backup: {e}."))
        }
        _ => Ok(None),
    }
}

fn put_key(config: &Config, key: &str) -> Result<(), String> {
    data_dir::prepare(&config.data_dir)?;
    let path = keys::path(config.key_source());
    let written = data_dir::private(&path).and_then(|mut file| {
        writeln!(file, "{}", key.trim())?;
        file.sync_all()
    });
    written.map_err(|e| {
        format!("The database is restored, but not the key: cannot write {}: {e}.", path.display())
    })
}

fn sql(error: &sqlx::Error) -> String {
    format!("The database answers: {error}.")
}
