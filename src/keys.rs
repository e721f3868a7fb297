//! The master key, and one key for each purpose, derived from it (HKDF-Expand, RFC 5869).

pub mod belonging;
pub mod retired;
pub mod rotation;
pub mod store;

use std::fmt;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use sha2::Sha256;

use crate::system::System;

/// The audit log is chained under this key.
pub const AUDIT: &str = "audit";
/// Recovery codes are hashed under this key.
pub const RECOVERY_CODES: &str = "recovery code";

pub struct Keys(SecretBox<[u8; 32]>);

/// The first bytes of a derived key, which reveal nothing of the master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId([u8; 8]);

impl KeyId {
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER_PERMISSIVE.encode(&self.0))
    }
}

#[derive(Clone, Copy)]
pub struct KeySource<'a> {
    pub secret: Option<&'a SecretString>,
    pub dir: &'a Path,
}

/// The file that is used when no setting holds the key.
pub fn path(source: KeySource<'_>) -> PathBuf {
    source.dir.join("secret.key")
}

impl Keys {
    /// From `COFFER_SECRET_KEY`, else from `secret.key` in the data directory, which is created if it is missing.
    pub fn load(source: KeySource<'_>, context: &System) -> Result<Self, String> {
        Self::configured(source)?.map_or_else(|| Self::make(&path(source), context), Ok)
    }

    /// The same, but creates nothing.
    pub fn configured(source: KeySource<'_>) -> Result<Option<Self>, String> {
        let Some(secret) = source.secret else { return Self::read(&path(source)) };
        let keys = parse(secret.expose_secret()).ok_or_else(|| {
            "COFFER_SECRET_KEY must be 64 hex digits. Create one with: openssl rand -hex 32".to_owned()
        });
        keys.map(Some)
    }

    /// `None` if there is no such file.
    pub fn read(path: &Path) -> Result<Option<Self>, String> {
        match std::fs::read_to_string(path) {
            Ok(text) => parse(&text).map(Some).ok_or_else(|| {
                format!("{} does not contain 64 hex digits. Restore it from a backup.", path.display())
            }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => {
                Err(format!("Cannot read {}: {e}. Give this user permission to read it.", path.display()))
            }
        }
    }

    /// Creates a key in a new file that only this user may read.
    pub fn make(path: &Path, context: &System) -> Result<Self, String> {
        let key: [u8; 32] = context.random();
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| {
                writeln!(file, "{}", HEXLOWER_PERMISSIVE.encode(&key))?;
                file.sync_all()
            })
            .map_err(|e| {
                let advice = match e.kind() {
                    ErrorKind::AlreadyExists => "Another coffer has just created it. Start again.",
                    ErrorKind::StorageFull => {
                        // Half a key would prevent every later start.
                        let _ = std::fs::remove_file(path);
                        "There is no space left on the disk. Free up some space, then start coffer again."
                    }
                    _ => "Make the directory writable for this user, or set COFFER_DATA_DIR.",
                };
                format!("Cannot write {}: {e}. {advice}", path.display())
            })?;
        Ok(Self(SecretBox::new(Box::new(key))))
    }

    pub fn id(&self) -> KeyId {
        let derived = self.derive("key id");
        KeyId(std::array::from_fn(|place| derived[place]))
    }

    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut mac = mac(self.0.expose_secret());
        mac.update(purpose.as_bytes());
        mac.update(&[1]);
        mac.finalize().into_bytes().into()
    }
}

/// HMAC-SHA-256 under a 32-byte key, which the algorithm pads with zeros to its block (RFC 2104 § 2).
pub fn mac(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    Hmac::new(&block.into())
}

fn parse(text: &str) -> Option<Keys> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).ok()?;
    Some(Keys(SecretBox::new(Box::new(bytes.try_into().ok()?))))
}
