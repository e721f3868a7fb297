//! Who may see what: the one rule, as a question about one resource and as SQL about all of them.
//!
//! The owner sees everything of theirs; members also what is shared with members or the public; visitors
//! what is public. The trash is the owner's alone. Admins see no more than members do.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Resource, marks};
use crate::web::viewer::Viewer;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Only the owner.
    #[default]
    Private,
    /// Everyone with an account here.
    Members,
    /// Anyone.
    Public,
}

impl Visibility {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Members => "members",
            Self::Public => "public",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Private, Self::Members, Self::Public]
            .into_iter()
            .find(|visibility| visibility.as_str() == text)
    }
}

impl TryFrom<String> for Visibility {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or(text)
    }
}

/// The rule, for a resource at hand.
#[must_use]
pub fn may_see(viewer: &Viewer, resource: &Resource) -> bool {
    may_be_seen_by(viewer.id(), resource)
}

/// The same for whoever has this account; `None` is a visitor.
#[must_use]
pub fn may_be_seen_by(viewer: Option<Uuid>, resource: &Resource) -> bool {
    if viewer == Some(resource.owner_id) {
        return true;
    }
    resource.trashed_at.is_none()
        && match resource.visibility {
            Visibility::Private => false,
            Visibility::Members => viewer.is_some(),
            Visibility::Public => true,
        }
}

/// The rule, for lists: conditions on `resources r` that together hold all that the viewer may see outside the
/// trash; what is the viewer's own and shared stands on two of them. `$1` is the viewer's id. Each is the
/// beginning of an index, so that a page costs the same however much the viewer may not see.
#[must_use]
pub fn shelves(viewer: &Viewer) -> &'static [&'static str] {
    match viewer {
        Viewer::Member(_) => &[
            "r.trashed_at IS NULL AND r.owner_id = $1",
            "r.trashed_at IS NULL AND r.visibility <> 'private' AND r.visibility = 'members'",
            PUBLIC,
        ],
        Viewer::Visitor => &[PUBLIC],
    }
}

/// The first half of it is what the partial indexes ask for by the letter.
const PUBLIC: &str = "r.trashed_at IS NULL AND r.visibility <> 'private' AND r.visibility = 'public'";

/// The rule as one condition.
#[must_use]
pub fn visible(viewer: &Viewer) -> String {
    let shelves: Vec<String> = shelves(viewer).iter().map(|shelf| format!("({shelf})")).collect();
    format!("({})", shelves.join(" OR "))
}

/// Words of the search index: what stands on one of the shelves has one of these. They only narrow down what is
/// looked at: every statement asks [`visible`] as well.
#[must_use]
pub fn shelf_marks(viewer: &Viewer) -> Vec<String> {
    match viewer {
        Viewer::Member(member) => {
            vec![
                marks::owned(member.id),
                marks::visibility(Visibility::Members),
                marks::visibility(Visibility::Public),
            ]
        }
        Viewer::Visitor => vec![marks::visibility(Visibility::Public)],
    }
}
