//! coffer: a self-hosted library of links and Markdown notes.
//!
//! Reading order: [`app`] shows every address and every layer, [`pipeline`] what each request passes. [`resources`] is the
//! library itself, in the four files that every slice has (`mod` the verbs, `store` the SQL, `pages` HTML, `api` JSON).
//! [`accounts`] has the users, [`auth`] how they sign in, [`settings`] their own pages, [`identity`] who sends a request.
//! [`web`] is what pages and JSON share. `docs/architecture.md` names every room and which rooms it may import.

#![forbid(unsafe_code)]

pub mod cli;
pub mod commands;
pub mod environment;
mod erased;
mod file_buffer;
mod named;

// A module that only `main.rs` reaches through `commands` is private, so that the compiler sees what nothing uses.
cfg_if::cfg_if! {
    if #[cfg(feature = "test-internals")] {
        pub mod accounts;
        pub mod admin;
        pub mod app;
        pub mod audit;
        pub mod auth;
        pub mod backup;
        pub mod cache;
        pub mod client_ip;
        pub mod config;
        pub mod data_dir;
        pub mod db;
        pub mod doctor;
        pub mod error;
        pub mod fetch;
        pub mod health;
        pub mod history;
        pub mod idempotency;
        pub mod identity;
        pub mod installation;
        pub mod keys;
        pub mod limiter;
        pub mod mail;
        pub mod markdown;
        pub mod names;
        pub mod openapi;
        pub mod overview;
        pub mod pipeline;
        pub mod public_url;
        pub mod redis;
        pub mod refresh;
        pub mod resources;
        pub mod sealer;
        pub mod serve;
        pub mod sessions;
        pub mod settings;
        pub mod shares;
        pub mod system;
        pub mod telemetry;
        pub mod timestamp;
        pub mod tls;
        pub mod tokens;
        pub mod waiting;
        pub mod waits;
        pub mod web;
        pub mod webhooks;
    } else {
        mod accounts;
        mod admin;
        mod app;
        mod audit;
        mod auth;
        mod backup;
        mod cache;
        mod client_ip;
        mod config;
        mod data_dir;
        mod db;
        mod doctor;
        mod error;
        mod fetch;
        mod health;
        mod history;
        mod idempotency;
        mod identity;
        mod installation;
        mod keys;
        mod limiter;
        mod mail;
        mod markdown;
        mod names;
        mod openapi;
        mod overview;
        mod pipeline;
        mod public_url;
        mod redis;
        mod refresh;
        mod resources;
        mod sealer;
        mod serve;
        mod sessions;
        mod settings;
        mod shares;
        mod system;
        mod telemetry;
        mod timestamp;
        mod tls;
        mod tokens;
        mod waiting;
        mod waits;
        mod web;
        mod webhooks;
    }
}
