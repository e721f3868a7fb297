//! Everything that coffer promises, tried from outside: real servers, real databases, both engines.

mod support;

mod accounts;
mod admin;
mod audit;
mod bad_input;
mod browser;
mod canaries;
mod client;
mod csrf;
mod devices;
mod enumeration;
mod explain;
mod export;
mod idor;
mod import;
mod invites;
mod mail;
mod mass_assignment;
mod openapi;
mod outage;
mod redirects;
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
