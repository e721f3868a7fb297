//! An address that is saved again while it lies in the trash: the entry is taken back, with what was typed.

use uuid::Uuid;

use super::draft::url_key;
use super::{Change, Draft, Precondition, Resource, Resources, Via, normal_url, store};
use crate::error::Result;
use crate::identity::Viewer;

/// What was typed about an address that is in the trash.
pub struct Typed {
    pub title: String,
    pub body: String,
    pub tags: Vec<String>,
    /// Who may see it, and whether it is pinned or unread; what is not set stays as it was.
    pub rest: Change,
}

impl Resources {
    /// The viewer's latest resource in the trash with this address, if no other one has it now.
    pub async fn find_in_trash(&self, viewer: &Viewer, url: &str) -> Result<Option<Resource>> {
        let owner = viewer.signed_in()?.id;
        let Ok(normal) = normal_url::parse(url) else { return Ok(None) };
        match store::find_in_trash(&self.db, owner, &url_key(&normal)).await? {
            Some(id) => Ok(Some(self.latest(viewer, id).await?)),
            None => Ok(None),
        }
    }

    /// Restores it and adds what was typed, as a new version.
    ///
    /// # Errors
    /// Those of [`Resources::restore`] and [`Resources::update`]; an invalid change leaves it in the trash.
    pub async fn take_back(&self, viewer: &Viewer, id: Uuid, typed: Typed) -> Result<Resource> {
        let current = self.find_own(viewer, id).await?;
        let change = typed.merged_into(&current);
        change.clone().over(Draft::from(&current)).check_keeping(&current.tags.0)?;
        self.restore(viewer, id, &Precondition::None).await?;
        self.update(viewer, id, &Precondition::None, change, Via::Web).await
    }
}

impl Typed {
    /// A typed title replaces the old one; text and tags are added.
    fn merged_into(self, current: &Resource) -> Change {
        let body = match self.body.trim() {
            "" => None,
            typed if current.body.contains(typed) => None,
            typed if current.body.trim().is_empty() => Some(typed.to_owned()),
            typed => Some(format!("{}\n\n{typed}", current.body.trim_end())),
        };
        Change {
            title: (!self.title.trim().is_empty()).then_some(self.title),
            body,
            tags: Some(current.tags.0.iter().cloned().chain(self.tags).collect()),
            ..self.rest
        }
    }
}
