//! Passwords: the rules, and Argon2id (RFC 9106) off the async workers, a few at a time.

mod common;
mod rules;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use argon2_rust::params::Memory;
use argon2_rust::{Algorithm, Argon2, Hasher, Params, Version};
use tokio::sync::Semaphore;

pub use self::rules::Judged;
use self::rules::normal;
use crate::error::{Error, Result};

/// Sign-ins that may wait for a core; one more is told to come back.
const QUEUE: usize = 256;
/// One of the reference implementation's own tests. Which code runs depends on the processor, and no other than this
/// one may have tried it: a hash that is wrong here would fit nowhere else.
const KNOWN: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
/// How long a hash's memory is kept for the next one: clearing it anew costs a quarter of a hash.
const KEEP: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Passwords {
    argon2: Argon2,
    /// How a hash begins that was made with today's parameters.
    current: String,
    /// Verified when the account does not exist, so that it takes as long as if it did.
    nobody: String,
    /// Words of the site, which no password may be made of.
    site: Vec<String>,
    cores: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    arenas: Arc<Arenas>,
}

impl Passwords {
    /// `memory` in KiB; `host` is the site's.
    pub fn new(memory: u32, passes: u32, host: &str) -> Result<Self, String> {
        let params = Params::builder().memory(Memory::kib(memory.into())).passes(passes).build();
        let params = params
            .map_err(|e| format!("COFFER_PASSWORD_MEMORY or COFFER_PASSWORD_PASSES is out of range: {e}."))?;
        let current = format!("$argon2id$v=19$m={memory},t={passes},p=1$");
        let nobody = format!("{current}bm9ib2R5LW5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        if argon2.hasher().verify_encoded(KNOWN, b"password", Algorithm::Argon2id).is_err() {
            return Err(
                "Argon2id goes wrong on this processor. Please report it, with the processor's name."
                    .to_owned(),
            );
        }
        let cores = available_parallelism().map_or(1, usize::from);
        Ok(Self {
            argon2,
            current,
            nobody,
            site: vec!["coffer".to_owned(), host.to_owned()],
            cores: Arc::new(Semaphore::new(cores)),
            waiting: Arc::default(),
            arenas: Arc::default(),
        })
    }

    /// Judges a new password of somebody of whom these names and addresses are known.
    #[must_use]
    pub fn judge(&self, password: &str, about_them: &[&str]) -> Judged {
        let site = self.site.iter().map(String::as_str);
        let parts = about_them.iter().flat_map(|text| [*text, text.split('@').next().unwrap_or_default()]);
        let words: Vec<&str> = parts.chain(site).filter(|word| !word.is_empty()).collect();
        rules::judge(password, &words)
    }

    /// What is wrong with a new password, as a sentence.
    #[must_use]
    pub fn problem(&self, password: &str, about_them: &[&str]) -> Option<&'static str> {
        self.judge(password, about_them).problem
    }

    /// The hash in PHC format, under a fresh salt.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait.
    pub async fn hash(&self, password: &str, salt: [u8; 16]) -> Result<String> {
        let password = normal(password).ok_or_else(|| Error::Internal("an over-long password".into()))?;
        let hash = self.run(move |hasher| hasher.hash_encoded(password.as_bytes(), &salt)).await?;
        hash.map_err(|e| Error::Internal(format!("password hash: {e}")))
    }

    /// Whether the password fits; without a hash it takes as long and fits nothing, and so does one that is too long.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait.
    pub async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool> {
        let password = normal(password);
        let possible = hash.is_some() && password.is_some();
        let (password, hash) = (password.unwrap_or_default(), hash.unwrap_or_else(|| self.nobody.clone()));
        let fits = self
            .run(move |hasher| hasher.verify_encoded(&hash, password.as_bytes(), Algorithm::Argon2id).is_ok())
            .await?;
        Ok(fits && possible)
    }

    /// Whether the hash was made with other parameters than today's.
    #[must_use]
    pub fn is_outdated(&self, hash: &str) -> bool {
        !hash.starts_with(&self.current)
    }

    /// Runs on a thread of its own once a core is free. A caller who goes away leaves the queue; work that has
    /// begun keeps its core until it is done.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Hasher) -> T + Send + 'static,
    ) -> Result<T> {
        let turn = Turn::take(&self.waiting)?;
        let core = self.cores.clone().acquire_owned().await.map_err(|e| Error::Internal(e.to_string()))?;
        drop(turn);
        let (argon2, arenas) = (self.argon2, self.arenas.clone());
        let work = move || {
            let _core = core;
            let mut hasher = arenas.take().unwrap_or_else(|| argon2.hasher());
            let done = work(&mut hasher);
            arenas.keep(hasher);
            arenas.free_after(KEEP);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| Error::Internal(e.to_string()))
    }
}

/// A place in the queue.
struct Turn(Arc<AtomicUsize>);

impl Turn {
    fn take(waiting: &Arc<AtomicUsize>) -> Result<Self> {
        let turn = Self(waiting.clone());
        if waiting.fetch_add(1, Ordering::Relaxed) < QUEUE { Ok(turn) } else { Err(Error::Busy) }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Memory that goes from one hash to the next; the system has it back when none has come for a while.
#[derive(Default)]
struct Arenas {
    free: Mutex<Vec<Hasher>>,
    hashes: AtomicUsize,
}

impl Arenas {
    fn take(&self) -> Option<Hasher> {
        self.lock().pop()
    }

    fn keep(&self, hasher: Hasher) {
        self.lock().push(hasher);
    }

    fn free_after(self: &Arc<Self>, idle: Duration) {
        let (arenas, this) = (self.clone(), self.hashes.fetch_add(1, Ordering::Relaxed) + 1);
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(idle);
            tick.tick().await;
            tick.tick().await;
            if arenas.hashes.load(Ordering::Relaxed) == this {
                arenas.lock().clear();
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Hasher>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Arenas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Arenas")
    }
}

#[cfg(test)]
mod tests;
