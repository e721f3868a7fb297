//! Lua scripts: called by their hash, and sent again when Redis has forgotten them.

use data_encoding::HEXLOWER;
use fred::interfaces::LuaInterface;
use fred::prelude::*;
use futures_util::future::{BoxFuture, FutureExt as _};

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

    pub fn run<'a, T: FromValue + Send + 'a>(
        &'a self,
        redis: &'a (impl LuaInterface + Sync),
        keys: Vec<impl Into<Key> + Clone + Send + 'a>,
        arguments: Vec<Value>,
    ) -> BoxFuture<'a, FredResult<T>> {
        async move {
            match redis.evalsha(self.hash.as_str(), keys.clone(), arguments.clone()).await {
                Err(error) if error.details().contains("NOSCRIPT") => {
                    redis.eval(self.text, keys, arguments).await
                }
                answer => answer,
            }
        }
        .boxed()
    }
}
