//! Lua that Redis keeps, sent again when it has forgotten.

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use fred::prelude::*;

pub struct Script {
    text: &'static str,
    hash: String,
}

pub static LEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/lease.lua")));
pub static FILL: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/fill.lua")));
pub static BUMP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/bump.lua")));

impl Script {
    fn new(text: &'static str) -> Self {
        // What names a script in Redis; nothing rests on it.
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        Self { text, hash: HEXLOWER.encode(digest.as_ref()) }
    }

    pub async fn run(&self, client: &Client, keys: Vec<Key>, arguments: Vec<Value>) -> Result<Value, Error> {
        match client.evalsha(self.hash.as_str(), keys.clone(), arguments.clone()).await {
            Err(error) if error.details().starts_with("NOSCRIPT") => {
                client.eval(self.text, keys, arguments).await
            }
            answer => answer,
        }
    }
}
