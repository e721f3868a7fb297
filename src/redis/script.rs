//! Lua that Redis keeps, sent again when it has forgotten.

use data_encoding::HEXLOWER;
use fred::interfaces::LuaInterface;
use fred::prelude::*;

#[derive(Debug)]
pub struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        // What names a script in Redis; nothing rests on it.
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        Self { text, hash: HEXLOWER.encode(digest.as_ref()) }
    }

    /// By its hash, and whole when Redis has forgotten it.
    pub async fn run<T: FromValue>(
        &self,
        redis: &impl LuaInterface,
        keys: Vec<impl Into<Key> + Clone + Send>,
        arguments: Vec<Value>,
    ) -> FredResult<T> {
        // In boxes, as both are many kilobytes, which every request that might send one would carry.
        match Box::pin(redis.evalsha(self.hash.as_str(), keys.clone(), arguments.clone())).await {
            Err(error) if error.details().contains("NOSCRIPT") => {
                Box::pin(redis.eval(self.text, keys, arguments)).await
            }
            answer => answer,
        }
    }
}
