//! Lua scripts: called by their hash, and sent again when Redis has forgotten them.

use data_encoding::HEXLOWER;
use fred::interfaces::LuaInterface;
use fred::prelude::*;

#[derive(Debug)]
pub struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    pub fn new(text: &'static str) -> Self {
        // Redis names scripts by their SHA-1. No security depends on it.
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        Self { text, hash: HEXLOWER.encode(digest.as_ref()) }
    }

    pub async fn run<T: FromValue>(
        &self,
        redis: &impl LuaInterface,
        keys: Vec<impl Into<Key> + Clone + Send>,
        arguments: Vec<Value>,
    ) -> FredResult<T> {
        // Boxed: both futures are many kilobytes, and every request that may run a script would carry them.
        match Box::pin(redis.evalsha(self.hash.as_str(), keys.clone(), arguments.clone())).await {
            Err(error) if error.details().contains("NOSCRIPT") => {
                Box::pin(redis.eval(self.text, keys, arguments)).await
            }
            answer => answer,
        }
    }
}
