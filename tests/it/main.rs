//! Everything that coffer promises, tried from outside: real servers, real databases, both engines.

mod support;

mod browser;
mod routes;
