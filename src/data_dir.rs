//! The data directory, and files that only its owner reads.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Readable by its owner only. The error says what to do.
pub fn prepare(folder: &Path) -> Result<(), String> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|e| {
        format!(
            "Cannot make the data directory {}: {e}. Make its parent writable for this user, or set COFFER_DATA_DIR.",
            folder.display()
        )
    })
}

/// A new file that only this user may read.
pub fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
