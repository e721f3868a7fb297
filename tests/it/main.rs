//! Everything that coffer promises, tried from outside: real servers, real databases, both engines.

mod support;

mod accounts;
mod bad_input;
mod csrf;
mod invites;
mod resources;
mod routes;
mod visibility;
mod wire;
