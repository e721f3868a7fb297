//! What every page and every JSON answer shares, whichever noun it is about.

pub mod admin;
pub mod assets;
pub mod attachment;
pub mod bearer;
pub mod body;
pub mod browser;
pub mod chrome;
pub mod client;
pub mod csrf;
pub mod cursor;
pub mod faces;
pub mod forms;
pub mod headers;
pub mod health;
pub mod json;
pub mod log;
pub mod once;
pub mod origin;
pub mod path;
pub mod rendered;
pub mod required;
pub mod site;
pub mod stay;
pub mod sudo;
pub mod unsent;
pub mod viewer;
