//! Everything that coffer promises, tried from outside: real servers, real databases, both engines.

mod support;

mod accounts;
mod bad_input;
mod browser;
mod csrf;
mod explain;
mod import;
mod invites;
mod marks;
mod openapi;
mod outage;
mod ranking;
mod resources;
mod routes;
mod search;
mod sessions;
mod startup;
mod visibility;
mod wire;
