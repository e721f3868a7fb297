//! Who may see what: one rule, as a question about one resource and as SQL about all of them.
//!
//! Owners see all their resources. Members also see what others share with members or the public. Visitors see what
//! is public. Only the owner sees the trash. Admins see no more than members.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Resource, index_terms};
use crate::identity::Viewer;
use crate::named::named;

named! {
    #[derive(Default, Serialize, Deserialize, ToSchema, ValueEnum)]
    #[serde(rename_all = "lowercase")]
    pub enum Visibility {
        /// Only the owner.
        #[default]
        Private = "private",
        /// Everyone with an account here.
        Members = "members",
        /// Anyone.
        Public = "public",
    }
}

/// The rule for one resource.
pub fn may_see(viewer: &Viewer, resource: &Resource) -> bool {
    may_be_seen_by(viewer.id(), resource)
}

/// The same for the account with this id; `None` is a visitor.
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

/// Who may show it to others by a link: its owner, outside the trash. For lists this is [`Partition::Own`].
pub fn may_share(viewer: &Viewer, resource: &Resource) -> bool {
    viewer.id() == Some(resource.owner_id) && resource.trashed_at.is_none()
}

/// The rule for lists: conditions on `resources r`, one a partition. Together they cover what the viewer may see outside
/// the trash; a shared resource of the viewer is in two of them. `$1` is the viewer's id. Each condition begins an
/// index, so that the cost of a page does not depend on what the viewer may not see.
pub fn partitions(viewer: &Viewer) -> &'static [&'static str] {
    match viewer {
        Viewer::Member(_) => &[OWN, MEMBERS, PUBLIC],
        Viewer::Visitor => &[PUBLIC],
    }
}

/// Which of the resources that a viewer may see a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Partition {
    /// All that they may see outside the trash.
    #[default]
    Visible,
    /// Their own outside the trash.
    Own,
    /// Their trash.
    Trash,
    /// Their own, the trash included.
    Everything,
    /// What is shared with members, theirs included.
    Shared,
}

impl Partition {
    /// The rule of [`partitions`], narrowed to the partition.
    pub fn partitions(self, viewer: &Viewer) -> &'static [&'static str] {
        match self {
            Self::Visible => partitions(viewer),
            Self::Own => &[OWN],
            Self::Trash => &[TRASH],
            Self::Everything => &[OWN, TRASH],
            Self::Shared => &[MEMBERS, PUBLIC],
        }
    }

    /// The same as one condition.
    pub fn condition(self, viewer: &Viewer) -> String {
        any_of(self.partitions(viewer))
    }

    /// The same as [`partition_terms`] of these partitions.
    pub fn index_terms(self, viewer: &Viewer) -> Vec<String> {
        match (self, viewer) {
            (Self::Shared, _) => {
                vec![
                    index_terms::visibility(Visibility::Members),
                    index_terms::visibility(Visibility::Public),
                ]
            }
            (Self::Visible, _) | (_, Viewer::Visitor) => partition_terms(viewer),
            (_, Viewer::Member(member)) => vec![index_terms::owned(member.id)],
        }
    }

    /// What all of its partitions say of the trash.
    pub const fn trashed(self) -> &'static str {
        match self {
            Self::Visible | Self::Own | Self::Shared => "r.trashed_at IS NULL",
            Self::Trash => "r.trashed_at IS NOT NULL",
            Self::Everything => "TRUE",
        }
    }
}

const OWN: &str = "r.trashed_at IS NULL AND r.owner_id = $1";
const TRASH: &str = "r.trashed_at IS NOT NULL AND r.owner_id = $1";

/// These begin with the condition of the partial indexes, word for word: the engines require that.
const MEMBERS: &str = "r.trashed_at IS NULL AND r.visibility <> 'private' AND r.visibility = 'members'";
const PUBLIC: &str = "r.trashed_at IS NULL AND r.visibility <> 'private' AND r.visibility = 'public'";

/// The rule as one condition.
pub fn visible(viewer: &Viewer) -> String {
    any_of(partitions(viewer))
}

fn any_of(partitions: &[&str]) -> String {
    let partitions: Vec<String> = partitions.iter().map(|partition| format!("({partition})")).collect();
    format!("({})", partitions.join(" OR "))
}

/// Index terms: every resource in a partition has one of these. They only narrow a search: every statement also
/// contains [`visible`].
pub fn partition_terms(viewer: &Viewer) -> Vec<String> {
    match viewer {
        Viewer::Member(member) => {
            vec![
                index_terms::owned(member.id),
                index_terms::visibility(Visibility::Members),
                index_terms::visibility(Visibility::Public),
            ]
        }
        Viewer::Visitor => vec![index_terms::visibility(Visibility::Public)],
    }
}
