//! The commands of the documents, run as they stand. The longest of the tests is here, and they run in the order of their
//! names.

mod backups;
mod long;
mod people;
mod tour;
mod watch;
mod world;
