//! The setup link as a file in the data directory that only this user may read: logs must hold no secret.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

const NAME: &str = "setup-link";

/// Replaces an earlier link.
pub fn write(data_dir: &Path, link: &str) -> std::io::Result<PathBuf> {
    let path = data_dir.join(NAME);
    remove(data_dir);
    // A new file: an existing one could be readable by others.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    writeln!(file, "{link}")?;
    Ok(path)
}

/// Once there is an account, the link does nothing.
pub fn remove(data_dir: &Path) {
    let _ = std::fs::remove_file(data_dir.join(NAME));
}
