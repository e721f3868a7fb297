//! What a change of many entries has done, with its undo.

use uuid::Uuid;

use crate::web::flash::{OK, Offer, Toast};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    pub what: What,
    pub entries: u32,
    pub id: Uuid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Tagged,
    Untagged,
    Renamed,
    Merged,
    Deleted,
    Visibility,
    Pinned,
    Unpinned,
    Trashed,
    Restored,
    Saved,
    Undone,
}

impl What {
    const ALL: [Self; 12] = [
        Self::Tagged,
        Self::Untagged,
        Self::Renamed,
        Self::Merged,
        Self::Deleted,
        Self::Visibility,
        Self::Pinned,
        Self::Unpinned,
        Self::Trashed,
        Self::Restored,
        Self::Saved,
        Self::Undone,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Tagged => "tagged",
            Self::Untagged => "untagged",
            Self::Renamed => "renamed",
            Self::Merged => "merged",
            Self::Deleted => "deleted",
            Self::Visibility => "visibility",
            Self::Pinned => "pinned",
            Self::Unpinned => "unpinned",
            Self::Trashed => "trashed",
            Self::Restored => "restored",
            Self::Saved => "saved",
            Self::Undone => "undone",
        }
    }

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
            Self::Trashed => "Moved to trash",
            Self::Restored => "Restored",
            Self::Saved => "Saved",
            Self::Undone => "Undone",
        }
    }
}

impl Changed {
    pub fn toast(self) -> Toast {
        let sentence = self.what.sentence();
        let text = match self.entries {
            0 => format!("{sentence}."),
            1 => format!("{sentence}: 1 entry."),
            entries => format!("{sentence}: {entries} entries."),
        };
        let undo = Offer::change(format!("/changes/{}/undo", self.id), "Undo");
        let offer = (!matches!(self.what, What::Saved | What::Undone)).then_some(undo);
        Toast { kind: OK, name: "changed", text: text.into(), offer }
    }

    pub fn cookie(self) -> String {
        format!("changed.{}.{}.{}", self.what.name(), self.entries, self.id)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("changed.")?.split('.');
        let name = parts.next()?;
        let what = What::ALL.into_iter().find(|what| what.name() == name)?;
        Some(Self { what, entries: parts.next()?.parse().ok()?, id: parts.next()?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_its_cookie() {
        for what in What::ALL {
            let changed = Changed { what, entries: 12, id: Uuid::from_u128(7) };
            assert_eq!(Changed::parse(&changed.cookie()), Some(changed));
        }
        assert_eq!(Changed::parse("changed.x.1.2"), None);
    }
}
