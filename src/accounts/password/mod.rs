//! Passwords: the rules, and Argon2id (RFC 9106) off the async workers, a few at a time.

mod argon2id;
mod common;
mod rules;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use argon2::Params;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Semaphore;

use self::argon2id::Memory;
pub use self::rules::Judged;
use self::rules::normal;
use crate::error::{Error, Result};

/// Sign-ins that may wait for a core; further ones are refused as busy.
const QUEUE: usize = 256;
/// How long a hash's memory is kept for the next one: clearing it anew costs a quarter of a hash.
const KEEP: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Passwords {
    params: Params,
    /// The beginning of a hash with today's parameters.
    current: String,
    /// Verified when the account does not exist, so that it takes as long as if it did.
    dummy: String,
    /// Words of the site, which no password may be made of.
    site: Vec<String>,
    cores: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    arenas: Arc<Arenas>,
}

impl Passwords {
    /// `memory` in KiB; `host` is the site's.
    pub fn new(memory: u32, passes: u32, host: &str) -> Result<Self, String> {
        let params = Params::new(memory, passes, 1, None)
            .map_err(|e| format!("COFFER_PASSWORD_MEMORY or COFFER_PASSWORD_PASSES is out of range: {e}."))?;
        let current = format!("$argon2id$v=19$m={memory},t={passes},p=1$");
        let dummy = format!("{current}bm9ib2R5LW5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let cores = available_parallelism().map_or(1, usize::from);
        Ok(Self {
            params,
            current,
            dummy,
            site: vec!["coffer".to_owned(), host.to_owned()],
            cores: Arc::new(Semaphore::new(cores)),
            waiting: Arc::default(),
            arenas: Arc::default(),
        })
    }

    /// `about_them`: the user's names and addresses.
    pub fn judge(&self, password: &str, about_them: &[&str]) -> Judged {
        let site = self.site.iter().map(String::as_str);
        let parts = about_them.iter().flat_map(|text| [*text, text.split('@').next().unwrap_or_default()]);
        let words: Vec<&str> = parts.chain(site).filter(|word| !word.is_empty()).collect();
        rules::judge(password, &words)
    }

    /// What is wrong with a new password, as a sentence.
    pub fn problem(&self, password: &str, about_them: &[&str]) -> Option<&'static str> {
        self.judge(password, about_them).problem
    }

    /// In PHC format. [`Error::Busy`] when too many wait.
    pub async fn hash(&self, password: &str, salt: [u8; 16]) -> Result<String> {
        let password = normal(password).ok_or_else(|| Error::Internal("an over-long password".into()))?;
        let params = self.params.clone();
        let hash = self.run(move |memory| memory.hash(&password, &salt, &params)).await?;
        hash.map_err(|e| Error::Internal(format!("password hash: {e}")))
    }

    /// Without a hash, or with a password that is too long, it takes as long and returns `false`.
    pub async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool> {
        let password = normal(password);
        let possible = hash.is_some() && password.is_some();
        let (password, hash) = (password.unwrap_or_default(), hash.unwrap_or_else(|| self.dummy.clone()));
        let fits = self.run(move |memory| memory.verify(&password, &hash)).await?;
        Ok(fits.unwrap_or(false) && possible)
    }

    pub fn is_outdated(&self, hash: &str) -> bool {
        !hash.starts_with(&self.current)
    }

    /// Runs on a thread of its own once a core is free. A caller who goes away leaves the queue; work that has
    /// begun keeps its core until it is done.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T> {
        let turn = Turn::take(&self.waiting)?;
        let core = self.cores.clone().acquire_owned().await.map_err(|e| Error::Internal(e.to_string()))?;
        drop(turn);
        let arenas = self.arenas.clone();
        let work = move || {
            let _core = core;
            let mut memory = arenas.take();
            let done = work(&mut memory);
            arenas.keep(memory);
            arenas.free_after(KEEP);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| Error::Internal(e.to_string()))
    }
}

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

/// Memory that one hash leaves to the next. It is freed when none has come for a while.
#[derive(Default)]
struct Arenas {
    free: Mutex<Vec<Memory>>,
    hashes: AtomicUsize,
}

impl Arenas {
    fn take(&self) -> Memory {
        self.lock().pop().unwrap_or_default()
    }

    fn keep(&self, memory: Memory) {
        self.lock().push(memory);
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

    fn lock(&self) -> MutexGuard<'_, Vec<Memory>> {
        self.free.lock()
    }
}

impl std::fmt::Debug for Arenas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Arenas")
    }
}

#[cfg(test)]
mod tests;
