//! What the slices declare, collected.

use crate::resources::cached;
use crate::sessions::snapshot::SNAPSHOT;
use crate::web::page_cache::PAGE;

pub fn cache_kinds() -> Vec<&'static str> {
    [cached::KINDS.as_slice(), &[PAGE.name, SNAPSHOT.name]].concat()
}
