//! coffer: a self-hosted library of links and Markdown notes.
//!
//! Reading order: [`app`] shows every address and every layer, [`pipeline`] what each request passes. [`resources`] is the
//! library itself, in the four files that every slice has (`mod` the verbs, `store` the SQL, `pages` HTML, `api` JSON).
//! [`accounts`] holds people, [`auth`] how they sign in, [`settings`] their own pages, [`identity`] who asks. [`web`] is what
//! pages and JSON share. `docs/architecture.md` names every room and which rooms it may import.

#![forbid(unsafe_code)]

pub mod accounts;
pub mod admin;
pub mod app;
pub mod audit;
pub mod auth;
pub mod backup;
pub mod cache;
pub mod cli;
pub mod client_ip;
pub mod commands;
pub mod config;
pub mod data_dir;
pub mod db;
pub mod doctor;
pub mod environment;
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
mod named;
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
pub mod system;
pub mod telemetry;
pub mod timestamp;
pub mod tls;
pub mod tokens;
pub mod waiting;
pub mod waits;
pub mod web;
