//! Saved searches: a person's names for lists that they come back to, in an order of their own.

pub mod api;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::store::SavedSearch;
use super::Resources;
use super::draft::{given, one_line};
use super::listing::{Hit, ListParams, Sort};
use super::public::LATEST;
use super::public::store::LONGEST_BODY;
use crate::cache::{Scope, Write};
use crate::error::{Error, Result};
use crate::identity::Viewer;

/// More than a person can look through.
const MAX_SEARCHES: usize = 100;
/// In characters, as they are sent.
const MAX_NAME: usize = 100;
/// The same.
const MAX_QUERY_STRING: usize = 10_000;

/// A new saved search.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchDraft {
    /// At most 100 characters; no other saved search of yours may have it.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// `q`, `tag`, `kind`, `pinned`, `mine` and `sort` of `GET /resources`, as a query string.
    #[schema(min_length = 1, max_length = 10_000, example = "q=tide%20tag%3Asea&sort=title")]
    pub search: String,
}

/// What is to change of a saved search; omitted fields stay the same.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SearchChange {
    #[serde(deserialize_with = "given")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 100)]
    pub name: Option<String>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 10_000)]
    pub search: Option<String>,
    /// Its place among your saved searches, from 1 to 100; a larger one than the last is the last.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = u32, required = false, minimum = 1, maximum = 100)]
    pub position: Option<usize>,
}

impl Resources {
    /// The viewer's, in their order.
    pub async fn saved_searches(&self, viewer: &Viewer) -> Result<Vec<SavedSearch>> {
        Ok(store::of_user(&self.db, viewer.signed_in()?.id).await?)
    }

    /// # Errors
    /// [`Error::NotFound`] when it is not one of the viewer's.
    pub async fn saved_search(&self, viewer: &Viewer, id: Uuid) -> Result<SavedSearch> {
        let found = self.saved_searches(viewer).await?;
        found.into_iter().find(|search| search.id == id).ok_or(Error::NotFound)
    }

    /// Saves it after the others.
    ///
    /// # Errors
    /// [`Error::Invalid`] at `name` or `search`.
    pub async fn save_search(&self, viewer: &Viewer, draft: &SearchDraft) -> Result<SavedSearch> {
        let owner = viewer.signed_in()?.id;
        let (name, search) = (check_name(&draft.name)?, self.check_search(&draft.search)?);
        if self.saved_searches(viewer).await?.len() >= MAX_SEARCHES {
            let message = "You have 100 saved searches. Delete one that you don’t need first.";
            return Err(Error::field("name", message));
        }
        let saved = SavedSearch { id: self.context.new_id(), name, search, created_at: self.context.now() };
        let mut tx = self.cache.begin().await?;
        store::insert(&mut tx, owner, &saved).await.map_err(name_taken)?;
        tx.commit([Scope::User(owner)]).await?;
        Ok(saved)
    }

    /// # Errors
    /// [`Error::NotFound`], and those of [`Resources::save_search`].
    pub async fn change_search(
        &self,
        viewer: &Viewer,
        id: Uuid,
        change: &SearchChange,
    ) -> Result<SavedSearch> {
        let owner = viewer.signed_in()?.id;
        let mut saved = self.saved_search(viewer, id).await?;
        if change.position.is_some_and(|position| !(1..=MAX_SEARCHES).contains(&position)) {
            return Err(Error::field("position", "Positions go from 1 to 100."));
        }
        if let Some(name) = &change.name {
            saved.name = check_name(name)?;
        }
        if let Some(search) = &change.search {
            saved.search = self.check_search(search)?;
        }
        let mut tx = self.cache.begin().await?;
        if !store::update(&mut tx, owner, &saved).await.map_err(name_taken)? {
            return Err(Error::NotFound);
        }
        if let Some(position) = change.position {
            place(&mut tx, owner, id, position).await?;
        }
        tx.commit([Scope::User(owner)]).await?;
        Ok(saved)
    }

    /// # Errors
    /// [`Error::NotFound`] when it is not one of the viewer's.
    pub async fn delete_search(&self, viewer: &Viewer, id: Uuid) -> Result<()> {
        let owner = viewer.signed_in()?.id;
        let mut tx = self.cache.begin().await?;
        if !store::delete(&mut tx, owner, id).await? {
            return Err(Error::NotFound);
        }
        Ok(tx.commit([Scope::User(owner)]).await?)
    }

    /// The newest entries of a list, as a feed carries them.
    pub async fn latest_listed(&self, viewer: &Viewer, params: ListParams) -> Result<Vec<Hit>> {
        let newest = ListParams {
            sort: Sort::Newest.as_str().to_owned(),
            include: "body".to_owned(),
            limit: LATEST.to_string(),
            ..params
        };
        let found = self.list(viewer, &newest).await?;
        let mut hits: Vec<Hit> = found.hits.iter().map(|hit| (**hit).clone()).collect();
        let is_long = |hit: &&mut Hit| hit.resource.body.chars().nth(LONGEST_BODY).is_some();
        hits.iter_mut().filter(is_long).for_each(|hit| hit.resource.body.clear());
        Ok(hits)
    }

    /// The query string in its normal form.
    fn check_search(&self, text: &str) -> Result<String> {
        let refused = |message: &str| Error::field("search", message.to_owned());
        if text.chars().count() > MAX_QUERY_STRING {
            return Err(refused("A saved search has at most 10,000 characters."));
        }
        let params = ListParams::from_saved(text.trim_start_matches('?'))
            .ok_or_else(|| refused("A saved search has only q, tag, kind, pinned, mine and sort."))?;
        if params == ListParams::default() {
            return Err(refused("Search or filter the library first."));
        }
        let checked = params.search(&self.cursors).and_then(|_| params.refuse_unknown_filters());
        checked.map_err(|error| refused(&error.message()))?;
        Ok(params.to_query_string())
    }
}

impl SavedSearch {
    /// The list that it leads to.
    pub fn params(&self) -> ListParams {
        ListParams::from_saved(&self.search).unwrap_or_default()
    }
}

fn check_name(text: &str) -> Result<String> {
    let name = one_line(text);
    let is_good = !name.is_empty() && !name.contains('\0') && text.chars().count() <= MAX_NAME;
    if is_good { Ok(name) } else { Err(Error::field("name", "Enter a name of at most 100 characters.")) }
}

fn name_taken(error: sqlx::Error) -> Error {
    if crate::db::is_duplicate(&error) {
        return Error::field("name", "You have another saved search with this name.");
    }
    error.into()
}

/// Moves it to the position, from 1; the others keep their order.
async fn place(tx: &mut Write, owner: Uuid, id: Uuid, position: usize) -> sqlx::Result<()> {
    let mut ids = store::ids(tx, owner).await?;
    ids.retain(|other| *other != id);
    ids.insert((position - 1).min(ids.len()), id);
    for (place, id) in (0..).zip(ids) {
        store::set_place(tx, owner, id, place).await?;
    }
    Ok(())
}
