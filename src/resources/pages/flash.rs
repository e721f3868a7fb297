//! What the library's pages say once, on the page after a change.

use uuid::Uuid;

use crate::web::flash::{Flash, Offer};

pub const SAVED: Flash = Flash::ok("saved", "Saved.");
pub const TAKEN_BACK: Flash = Flash::ok("taken-back", "Restored from the trash, with your changes.");
pub const VERSION_RESTORED: Flash = Flash::ok("version-restored", "Version restored.");
pub const PINNED: Flash = Flash::ok("pinned", "Pinned.");
pub const UNPINNED: Flash = Flash::ok("unpinned", "Unpinned.");
pub const UNREAD: Flash = Flash::ok("unread", "Saved to read later.");
pub const READ: Flash = Flash::ok("read", "Marked as read.");
pub const RESTORED: Flash = Flash::ok("restored", "Restored from the trash.");
pub const DELETED: Flash = Flash::ok("deleted", "Deleted permanently.");
pub const EMPTIED: Flash = Flash::ok("emptied", "Trash emptied. Everything in it was permanently deleted.");
pub const ALREADY_SAVED: Flash = Flash::ok("already-saved", "You’ve already saved this link. Here it is.");
pub const NOT_RESTORED: Flash = Flash::error(
    "not-restored",
    "Not restored, because you have since saved this link again. Here is that entry.",
);

pub const SEARCH_SAVED: Flash = Flash::ok("search-saved", "Search saved.");
pub const SEARCH_RENAMED: Flash = Flash::ok("search-renamed", "Renamed.");
pub const SEARCH_DELETED: Flash = Flash::ok("search-deleted", "Saved search deleted.");

/// Saved on the way to another page.
pub fn saved_entry(id: Uuid) -> Flash {
    Flash::ok("saved-entry", "Saved.").with_offer(Offer::page(format!("/resources/{id}"), "Open"))
}

pub fn trashed(id: Uuid) -> Flash {
    let undo = Offer::change(format!("/resources/{id}/restore"), "Undo");
    Flash::ok("trashed", "Moved to trash.").with_offer(undo)
}
