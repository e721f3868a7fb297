//! The master secret, and the keys for single purposes that are derived from it (HKDF-Expand, RFC 5869).

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;

use crate::config::Config;
use crate::context::Context;

pub struct Keys(SecretBox<[u8; 32]>);

impl Keys {
    /// From `COFFER_SECRET_KEY`, else from `secret.key` in the data directory, which is made when missing.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn load(config: &Config, context: &Context) -> Result<Self, String> {
        if let Some(secret) = &config.secret_key {
            return parse(secret.expose_secret()).ok_or_else(|| {
                "COFFER_SECRET_KEY must be 64 hex digits. Make one with: openssl rand -hex 32".to_owned()
            });
        }
        let path = config.data_dir.join("secret.key");
        match std::fs::read_to_string(&path) {
            Ok(text) => parse(&text).ok_or_else(|| {
                format!("{} does not hold 64 hex digits. Restore it from a backup, or remove it to sign everybody out and start with a new key.", path.display())
            }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Self::make(&path, context),
            Err(e) => Err(format!("Cannot read {}: {e}. Give this user permission to read it.", path.display())),
        }
    }

    fn make(path: &Path, context: &Context) -> Result<Self, String> {
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
                    ErrorKind::AlreadyExists => "Another coffer made it just now; start again.",
                    ErrorKind::StorageFull => {
                        // Half a key would stop every later start.
                        let _ = std::fs::remove_file(path);
                        "There is no room left on the disk. Make some, then start coffer again."
                    }
                    _ => "Make the directory writable for this user, or set COFFER_DATA_DIR.",
                };
                format!("Cannot write {}: {e}. {advice}", path.display())
            })?;
        Ok(Self(SecretBox::new(Box::new(key))))
    }

    /// The key for one purpose.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut mac = mac(self.0.expose_secret());
        mac.update(purpose.as_bytes());
        mac.update(&[1]);
        mac.finalize().into_bytes().into()
    }
}

/// HMAC-SHA-256 under a 32-byte key, which the algorithm pads with zeros to its block (RFC 2104 § 2).
#[must_use]
pub fn mac(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    Hmac::new(&block.into())
}

fn parse(text: &str) -> Option<Keys> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).ok()?;
    Some(Keys(SecretBox::new(Box::new(bytes.try_into().ok()?))))
}
