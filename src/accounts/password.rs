//! Passwords: the rules, and Argon2id (RFC 9106) off the async workers, a few at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{Semaphore, SemaphorePermit};
use unicode_normalization::UnicodeNormalization as _;

use crate::error::{Error, Result};

/// Sign-ins that may wait for a core; one more is told to come back.
const QUEUE: usize = 256;

#[derive(Debug)]
pub struct Passwords {
    argon2: Argon2<'static>,
    /// Verified when the account does not exist, so that it takes as long as if it did.
    nobody: String,
    cores: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Passwords {
    /// `memory` in KiB.
    pub fn new(memory: u32, passes: u32) -> Result<Self, String> {
        let params = Params::new(memory, passes, 1, None)
            .map_err(|e| format!("COFFER_PASSWORD_MEMORY or COFFER_PASSWORD_PASSES is out of range: {e}."))?;
        let nobody = format!(
            "$argon2id$v=19$m={memory},t={passes},p=1$bm9ib2R5LW5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        );
        let cores = available_parallelism().map_or(1, usize::from);
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            nobody,
            cores: Arc::new(Semaphore::new(cores)),
            waiting: AtomicUsize::new(0),
        })
    }

    /// The hash in PHC format, under a fresh salt.
    pub async fn hash(&self, password: &str, salt: [u8; 16]) -> Result<String> {
        let _core = self.core().await?;
        let (argon2, password) = (self.argon2.clone(), normal(password));
        off_thread(move || {
            argon2.hash_password_with_salt(password.as_bytes(), &salt).map(|hash| hash.to_string())
        })
        .await
    }

    /// Whether the password fits; without a hash it takes as long and fits nothing.
    pub async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool> {
        let _core = self.core().await?;
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        let (argon2, password) = (self.argon2.clone(), normal(password));
        let fits = off_thread(move || Ok(argon2.verify_password(password.as_bytes(), hash.as_str()).is_ok()))
            .await?;
        Ok(fits && exists)
    }

    async fn core(&self) -> Result<SemaphorePermit<'_>> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= QUEUE {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::Busy);
        }
        let permit = self.cores.acquire().await.map_err(|e| Error::Internal(e.to_string()));
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        permit
    }
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, argon2::password_hash::Error> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|e| Error::Internal(e.to_string()))?;
    done.map_err(|e| Error::Internal(format!("password hash: {e}")))
}

/// NFKC, so that a password typed on another keyboard is the same password (NIST SP 800-63B § 3.1.1.2).
fn normal(password: &str) -> String {
    password.nfkc().collect()
}

/// What is wrong with a new password, as a sentence.
#[must_use]
pub fn problem(password: &str, about_them: &[&str]) -> Option<&'static str> {
    let length = password.chars().count();
    let folded = normal(password).to_lowercase();
    let is_theirs = about_them.iter().any(|word| !word.is_empty() && folded == word.to_lowercase());
    if length < 12 {
        Some("Use at least 12 characters. Three or four unrelated words do well.")
    } else if length > 256 {
        Some("Use at most 256 characters.")
    } else if password.contains('\0') {
        Some("A password can't contain a NUL character.")
    } else if is_theirs || folded.replace("coffer", "").chars().count() < 6 {
        Some("This is too easy to guess. Don't use your name, your address or the name of this site.")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new(19_456, 2).unwrap();
        let hash = passwords.hash("correct horse battery", [7; 16]).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(passwords.verify("correct horse battery", Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("Correct horse battery", Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("correct horse battery", None).await.unwrap());
    }

    #[tokio::test]
    async fn the_same_letters_from_another_keyboard_fit() {
        let passwords = Passwords::new(19_456, 2).unwrap();
        let hash = passwords.hash("cre\u{0300}me bru\u{0302}le\u{0301}e", [7; 16]).await.unwrap();
        assert!(passwords.verify("cr\u{00e8}me br\u{00fb}l\u{00e9}e", Some(hash)).await.unwrap());
    }

    #[test]
    fn length_is_counted_in_characters_and_composition_is_free() {
        assert!(problem("aaaa bbbb ccc", &[]).is_none());
        assert!(problem("žluťoučký kůň", &[]).is_none());
        assert!(problem("elevenchars", &[]).is_some());
        assert!(problem(&"x".repeat(257), &[]).is_some());
        assert!(problem("ada@example.org", &["ada@example.org"]).is_some());
        assert!(problem("coffercoffercoffer", &[]).is_some());
    }
}
