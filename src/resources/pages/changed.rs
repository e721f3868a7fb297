//! What a change of many entries has done, with its undo.

use uuid::Uuid;

use crate::web::flash::{Flash, Offer};

#[derive(Clone, Copy)]
pub struct Changed {
    pub what: What,
    pub entries: u32,
    pub id: Uuid,
}

#[derive(Clone, Copy)]
pub enum What {
    Tagged,
    Untagged,
    Renamed,
    Merged,
    Deleted,
    Visibility,
    Pinned,
    Unpinned,
    Unread,
    Read,
    Trashed,
    Restored,
    Saved,
    Undone,
}

impl What {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Tagged => "Tags added",
            Self::Untagged => "Tags removed",
            Self::Renamed => "Tag renamed",
            Self::Merged => "Tags merged",
            Self::Deleted => "Tag deleted",
            Self::Visibility => "Visibility changed",
            Self::Pinned => "Pinned",
            Self::Unpinned => "Unpinned",
            Self::Unread => "Saved to read later",
            Self::Read => "Marked as read",
            Self::Trashed => "Moved to trash",
            Self::Restored => "Restored",
            Self::Saved => "Saved",
            Self::Undone => "Undone",
        }
    }
}

impl Changed {
    pub fn flash(self) -> Flash {
        let sentence = self.what.sentence();
        let text = match self.entries {
            0 => format!("{sentence}."),
            1 => format!("{sentence}: 1 entry."),
            entries => format!("{sentence}: {entries} entries."),
        };
        let flash = Flash { text: text.into(), ..Flash::ok("changed", "") };
        match self.what {
            What::Saved | What::Undone => flash,
            _ => flash.with_offer(Offer::change(format!("/changes/{}/undo", self.id), "Undo")),
        }
    }
}
