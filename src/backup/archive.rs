//! The file: a ZIP whose last entry, the manifest, has the size and the hash of all others.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::timestamp::Timestamp;

/// Raise it when an older coffer can't read the file.
pub const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";

#[derive(Debug, Deserialize, Serialize)]
pub struct Manifest {
    pub format: u32,
    /// The version that made the backup.
    pub coffer: String,
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// The last migration of its schema.
    pub schema: i64,
    pub made_at: Timestamp,
    /// The id of the key that the database belongs to; empty before the first start.
    pub key_id: String,
    pub tables: Vec<Table>,
    pub sequences: Vec<Sequence>,
    pub entries: Vec<Entry>,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Table {
    pub name: String,
    pub columns: Vec<String>,
    pub rows: u64,
}

#[derive(Debug, Deserialize, Serialize, sqlx::FromRow)]
pub struct Sequence {
    pub table: String,
    pub column: String,
    pub last: Option<i64>,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Entry {
    pub name: String,
    pub size: u64,
    pub sha256: String,
}

impl Manifest {
    #[must_use]
    pub fn rows(&self, table: &str) -> u64 {
        self.tables.iter().find(|known| known.name == table).map_or(0, |known| known.rows)
    }

    #[must_use]
    pub fn holds(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }
}

pub struct Writer {
    zip: ZipWriter<File>,
    entries: Vec<Entry>,
    hash: Sha256,
}

impl Writer {
    #[must_use]
    pub fn new(file: File) -> Self {
        Self { zip: ZipWriter::new(file), entries: Vec::new(), hash: Sha256::new() }
    }

    pub fn begin(&mut self, name: &str) -> io::Result<()> {
        self.end();
        self.start(name)?;
        self.entries.push(Entry { name: name.to_owned(), size: 0, sha256: String::new() });
        Ok(())
    }

    fn start(&mut self, name: &str) -> io::Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(1))
            .unix_permissions(0o600)
            .large_file(true);
        Ok(self.zip.start_file(name, options)?)
    }

    fn end(&mut self) {
        let hash = std::mem::take(&mut self.hash);
        if let Some(entry) = self.entries.last_mut() {
            entry.sha256 = HEXLOWER.encode(&hash.finalize());
        }
    }

    /// Also syncs the file to the disk.
    pub fn finish(mut self, mut manifest: Manifest) -> io::Result<()> {
        self.end();
        manifest.entries = std::mem::take(&mut self.entries);
        self.start(MANIFEST)?;
        serde_json::to_writer_pretty(&mut self.zip, &manifest)?;
        self.zip.finish()?.sync_all()
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.zip.write(bytes)?;
        self.hash.update(&bytes[..count]);
        if let Some(entry) = self.entries.last_mut() {
            entry.size += count as u64;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }
}

pub struct Reader {
    zip: ZipArchive<BufReader<File>>,
    pub manifest: Manifest,
}

impl Reader {
    /// Reads all of it. The error is for people: it is no backup, not whole, or of a later version.
    pub fn open(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let file = File::open(path).map_err(|e| format!("Cannot read {shown}: {e}."))?;
        let none = |_| format!("{shown} is not a coffer backup, or it is incomplete.");
        let mut zip = ZipArchive::new(BufReader::new(file)).map_err(none)?;
        let manifest = zip.by_name(MANIFEST).map_err(none)?;
        let manifest: Manifest = serde_json::from_reader(manifest)
            .map_err(|e| format!("{shown} has no valid list of contents: {e}."))?;
        if manifest.format > FORMAT {
            return Err(format!(
                "{shown} was made by coffer {}, which is newer than this version.",
                manifest.coffer
            ));
        }
        let mut reader = Self { zip, manifest };
        match reader.first_damaged() {
            None => Ok(reader),
            Some(name) => Err(format!(
                "{shown} is damaged: the checksum of {name} doesn't match. Use a different backup."
            )),
        }
    }

    fn first_damaged(&mut self) -> Option<String> {
        let zip = &mut self.zip;
        let is_damaged = |entry: &&Entry| {
            let mut hash = Hashing { hash: Sha256::new(), size: 0 };
            let read = zip.by_name(&entry.name).map(|mut file| io::copy(&mut file, &mut hash));
            let is_read = matches!(read, Ok(Ok(_)));
            !is_read || hash.size != entry.size || HEXLOWER.encode(&hash.hash.finalize()) != entry.sha256
        };
        self.manifest.entries.iter().find(is_damaged).map(|entry| entry.name.clone())
    }

    pub fn entry(&mut self, name: &str) -> io::Result<impl Read + '_> {
        Ok(self.zip.by_name(name)?)
    }

    pub fn text(&mut self, name: &str) -> io::Result<String> {
        let mut text = String::new();
        self.entry(name)?.read_to_string(&mut text)?;
        Ok(text)
    }
}

struct Hashing {
    hash: Sha256,
    size: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
