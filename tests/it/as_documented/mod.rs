//! The commands of the documents, run as they stand.

mod backups;
mod long;
mod people;
mod tour;
mod watch;
mod world;
