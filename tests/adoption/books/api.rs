//! Books as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Book, Books, BooksState, Draft};
use crate::error::Result;
use crate::web::json::{self, Problem};
use crate::web::scoped::{ResourcesRead, ResourcesWrite, Scoped};

pub fn routes() -> OpenApiRouter<BooksState> {
    OpenApiRouter::new().routes(routes!(list, create))
}

#[derive(Serialize, ToSchema)]
struct BookList {
    items: Vec<Book>,
}

/// Your books.
#[utoipa::path(get, path = "/books", operation_id = "listBooks", tag = "books", security(("session" = []), ("bearer" = ["resources:read"])), responses(
    (status = 200, body = BookList, description = "All of them, by their titles", example = json!({ "items": [{ "id": "01983a5e-7c00-7a10-8000-0000000000b1", "title": "Emma", "author": "Jane Austen" }] })),
))]
async fn list(State(books): State<Arc<Books>>, viewer: Scoped<ResourcesRead>) -> Result<Json<BookList>> {
    Ok(Json(BookList { items: books.list(&viewer).await?.books.clone() }))
}

/// Save a book.
#[utoipa::path(post, path = "/books", operation_id = "createBook", tag = "books", security(("session" = []), ("bearer" = ["resources:write"])), request_body(content = Draft, example = json!({ "title": "Emma", "author": "Jane Austen" })), responses(
    (status = 201, body = Book, description = "The saved book", example = json!({ "id": "01983a5e-7c00-7a10-8000-0000000000b1", "title": "Emma", "author": "Jane Austen" })),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`"),
))]
async fn create(
    State(books): State<Arc<Books>>,
    viewer: Scoped<ResourcesWrite>,
    json::Json(draft): json::Json<Draft>,
) -> Result<(StatusCode, Json<Book>)> {
    Ok((StatusCode::CREATED, Json(books.create(&viewer, &draft).await?)))
}
