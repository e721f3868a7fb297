//! Everything that coffer promises, tried from outside: real servers, real databases, both engines.

mod support;

mod accounts;
mod bad_input;
mod browser;
mod csrf;
mod explain;
mod import;
mod invites;
mod openapi;
mod outage;
mod passwords;
mod resources;
mod routes;
mod search;
mod second_factor;
mod sessions;
mod startup;
mod sudo;
mod visibility;
mod wire;
