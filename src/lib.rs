//! coffer: a self-hosted library of links and Markdown notes.
//!
//! Reading order: [`app`] shows every address and every layer; [`resources`] is the library itself, in the
//! four files that every slice has (`mod` the verbs, `store` the SQL, `pages` HTML, `api` JSON);
//! [`accounts`] is who may get in, [`audit`] what they did there, [`mail`] what they are told; [`refresh`] and
//! [`tokens`] are what programs show; [`web`] is what pages and JSON share; [`db`], [`redis`] and [`sessions`] hold
//! the state, [`limiter`] says who must wait and [`limits`] shows it; [`telemetry`] sees inside and [`admin`] shows it;
//! [`fetch`] opens addresses that users name; [`idempotency`] carries out once what is sent twice; [`openapi`] is what the API says of itself; [`config`], [`cli`], [`waiting`] and [`serve`] start and stop the
//! program.

#![forbid(unsafe_code)]

pub mod accounts;
pub mod admin;
pub mod app;
pub mod audit;
pub mod auth;
pub mod backup;
pub mod cache;
pub mod cli;
pub mod commands;
pub mod config;
pub mod context;
pub mod db;
pub mod doctor;
pub mod environment;
pub mod error;
pub mod fetch;
pub mod health;
pub mod idempotency;
pub mod installation;
pub mod keys;
pub mod limiter;
pub mod limits;
pub mod mail;
mod named;
pub mod openapi;
pub mod overview;
pub mod redis;
pub mod refresh;
pub mod resources;
pub mod seal;
pub mod serve;
pub mod sessions;
pub mod telemetry;
pub mod tokens;
pub mod waiting;
pub mod waits;
pub mod web;
