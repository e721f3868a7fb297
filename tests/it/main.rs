//! Everything that coffer promises, tried from outside: real servers, real databases, both engines.

mod support;

mod accounts;
mod admin;
mod audit;
mod bad_input;
mod browser;
mod client;
mod csrf;
mod devices;
mod explain;
mod export;
mod import;
mod invites;
mod limiter;
mod limits;
mod mail;
mod marks;
mod openapi;
mod outage;
mod ranking;
mod refresh;
mod registration;
mod reset;
mod resources;
mod routes;
mod search;
mod sessions;
mod startup;
mod sudo;
mod tokens;
mod unsent;
mod visibility;
mod wire;
