//! Books: a noun of its own in the place of links and notes. Here are the verbs; the SQL is in `store`.

pub mod api;
pub mod pages;
mod store;

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::cache::{Cache, Cached, Key, Kind, Scope, Scopes, Ttl};
use crate::db::Db;
use crate::error::{Error, FieldErrors, Result};
use crate::identity::Viewer;
use crate::system::System;
use crate::web::deps::WebDeps;

#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, sqlx::FromRow)]
pub struct Book {
    pub id: Uuid,
    pub title: String,
    /// Who wrote it.
    pub author: String,
}

/// A new book.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = BookDraft)]
pub struct Draft {
    #[schema(max_length = 200)]
    pub title: String,
    /// Who wrote it.
    #[schema(max_length = 200)]
    pub author: String,
}

/// All books of one person.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Shelf {
    owner: Uuid,
    pub books: Vec<Book>,
}

pub static SHELF: Kind<Shelf> = Kind {
    name: "shelf",
    schema: 1,
    ttl: Ttl { soft: Duration::from_mins(4), hard: Duration::from_hours(1) },
    is_shared: true,
    is_composed: false,
    value: PhantomData,
};

impl Cached for Shelf {
    fn weight(&self) -> usize {
        self.books.iter().map(|book| book.title.len() + book.author.len() + 80).sum::<usize>() + 64
    }

    fn is_for(&self, viewer: Option<Uuid>) -> bool {
        viewer == Some(self.owner)
    }
}

#[derive(Clone)]
pub struct Books {
    pub cache: Cache,
    pub db: Db,
    pub system: System,
}

#[derive(Clone, FromRef)]
pub struct BooksState {
    pub books: Arc<Books>,
    pub deps: Arc<WebDeps>,
}

impl Books {
    /// The viewer's own books, by their titles.
    pub async fn list(&self, viewer: &Viewer) -> Result<Arc<Shelf>> {
        let owner = viewer.signed_in()?.id;
        let db = self.db.clone();
        let load = |_| async move {
            let books = store::list(&db, owner).await?;
            Ok(Some(Shelf { owner, books }))
        };
        let key = Key::private(viewer, [0; 16]).ok_or(Error::SignInRequired)?;
        self.cache.get(&SHELF, key, Scopes::one(Scope::User(owner)), load).await?.ok_or(Error::NotFound)
    }

    /// # Errors
    /// [`Error::Invalid`] with the fields.
    pub async fn create(&self, viewer: &Viewer, draft: &Draft) -> Result<Book> {
        let owner = viewer.signed_in()?.id;
        let mut errors = FieldErrors::default();
        for (field, text) in [("title", &draft.title), ("author", &draft.author)] {
            if !(1..=200).contains(&text.trim().chars().count()) {
                errors.add(field, "Enter 1 to 200 characters.");
            }
        }
        let (title, author) = (draft.title.trim().to_owned(), draft.author.trim().to_owned());
        let book = errors.or(Book { id: self.system.new_id(), title, author })?;
        let mut tx = self.cache.begin().await?;
        store::insert(&mut tx, owner, &book, self.system.now()).await?;
        tx.commit([Scope::User(owner)]).await?;
        Ok(book)
    }
}
