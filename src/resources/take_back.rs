//! An address that is saved again while it lies in the trash: the entry is taken back, with what was typed.

use uuid::Uuid;

use super::draft::{Checked, url_key};
use super::saving::Written;
use super::{Change, Draft, Precondition, Resource, Resources, Via, normal_url, store};
use crate::cache::Write;
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

    /// Restores it and adds what was typed, as a new version, in one transaction: others see it only as typed.
    ///
    /// # Errors
    /// Those of [`Resources::restore`] and [`Resources::update`]; an invalid change leaves it in the trash.
    pub async fn take_back(&self, viewer: &Viewer, id: Uuid, typed: Typed) -> Result<Resource> {
        let current = self.find_own(viewer, id).await?;
        let change = typed.merged_into(&current);
        let checked = change.over(Draft::from(&current)).check_keeping(&current.tags.0)?;
        let mut tx = self.cache.begin().await?;
        match self.take_back_within(&mut tx, &current, &checked).await {
            Ok(Some(written)) => {
                tx.commit(written.touched).await?;
                self.wake_fetching();
                Ok(written.saved)
            }
            Ok(None) => Err(self.latest(viewer, id).await?.conflict()),
            Err(error) => {
                drop(tx);
                Err(self.duplicate(error, current.owner_id, &checked).await)
            }
        }
    }

    /// `None` when another change was faster.
    async fn take_back_within(
        &self,
        tx: &mut Write,
        current: &Resource,
        checked: &Checked,
    ) -> sqlx::Result<Option<Written>> {
        let restored = self.set_trashed_within(tx, current, None, &Precondition::None).await?;
        let Some(mut restored) = restored else { return Ok(None) };
        if checked.changes_nothing_of(&restored.saved) {
            return Ok(Some(restored));
        }
        let replaced = self.replace_within(tx, &restored.saved, checked, Via::Web).await?;
        Ok(replaced.map(|replaced| {
            restored.touched.extend(replaced.touched);
            Written { saved: replaced.saved, touched: restored.touched }
        }))
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
