//! Ways to save from elsewhere: the bookmarklet, the share menu, the browser's search; and the window that they open.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::capture::new_page;
use super::editor::{FormPage, Refusal, own_tags};
use super::flash;
use super::form::EntryForm;
use crate::error::Result;
use crate::identity::Viewer;
use crate::resources::{Resources, addresses};
use crate::web::deps::WebDeps;
use crate::web::forms::Query;
use crate::web::page_context::{PageContext, page, redirect};

/// Where the window says that it is done.
pub const SAVED: &str = "/capture/saved";
/// Characters of a selected text that come along.
const SELECTED: usize = 20_000;

#[derive(Template)]
#[template(path = "settings/capture.html")]
struct CapturePage {
    context: PageContext,
    bookmarklet: String,
    address: String,
    is_fetching: bool,
}

pub async fn settings(
    State(resources): State<Arc<Resources>>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    context: PageContext,
) -> Result<Response> {
    viewer.signed_in()?;
    let address = deps.public_url.address();
    let shown = CapturePage {
        context: context.section("capture"),
        bookmarklet: bookmarklet(&address),
        address,
        is_fetching: resources.is_fetching(),
    };
    page(&shown, false)
}

/// Opens the small window with the page's address, its title and the selected text.
#[must_use]
pub fn bookmarklet(address: &str) -> String {
    format!(
        "javascript:(()=>{{const e=encodeURIComponent,s=String(getSelection()).slice(0,4000);\
        open('{address}/capture?url='+e(location.href)+'&title='+e(document.title)+'&text='+e(s),\
        'coffer','width=600,height=760')}})()"
    )
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Shared {
    url: String,
    title: String,
    text: String,
}

/// The window. An address that is kept already opens its entry, to be edited.
pub async fn window(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    Query(shared): Query<Shared>,
) -> Result<Response> {
    viewer.signed_in()?;
    let shared = shared.with_address();
    if !shared.url.is_empty()
        && let Ok(existing) = resources.lookup(&viewer, &shared.url).await
    {
        return Ok(redirect(&format!("/resources/{}/edit", existing.id), Some(flash::ALREADY_SAVED)));
    }
    let is_note = shared.url.is_empty() && !shared.text.is_empty();
    let form = EntryForm {
        kind: if is_note { "note" } else { "link" }.to_owned(),
        url: shared.url,
        title: shared.title,
        body: shared.text,
        back: SAVED.to_owned(),
        ..EntryForm::default()
    };
    let own_tags = own_tags(&resources, &viewer).await?;
    let toast = context.toast.is_some();
    page(&FormPage { own_tags, ..new_page(context, form.shown(), Refusal::default()) }, toast)
}

impl Shared {
    /// Telephones share an address as a text; a selected text becomes a quotation.
    fn with_address(self) -> Self {
        let text: String = self.text.chars().take(SELECTED).collect();
        if self.url.is_empty()
            && let [url] = addresses::find(&text).as_slice()
        {
            let rest = text.replacen(url, "", 1);
            return Self { url: url.clone(), text: rest.trim().to_owned(), ..self };
        }
        let text = if self.url.is_empty() { text } else { quoted(&text) };
        Self { text, ..self }
    }
}

fn quoted(text: &str) -> String {
    let lines = text.trim().lines().map(|line| format!("> {line}").trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

#[derive(Template)]
#[template(path = "resources/captured.html")]
struct CapturedPage {
    context: PageContext,
}

pub async fn saved(viewer: Viewer, context: PageContext) -> Result<Response> {
    viewer.signed_in()?;
    let toast = context.toast.is_some();
    page(&CapturedPage { context: context.section("library") }, toast)
}

#[derive(Template)]
#[template(path = "resources/opensearch.xml")]
struct OpenSearch {
    address: String,
}

/// The description by which browsers offer coffer as a search engine (`OpenSearch` 1.1).
pub async fn opensearch(State(deps): State<Arc<WebDeps>>) -> Result<Response> {
    let xml = OpenSearch { address: deps.public_url.address() }.render()?;
    Ok(([(CONTENT_TYPE, "application/opensearchdescription+xml; charset=utf-8")], xml).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_text_gives_its_address_and_a_selection_is_quoted() {
        let shared = |url: &str, text: &str| {
            Shared { url: url.into(), text: text.into(), ..Shared::default() }.with_address()
        };
        let one = shared("", "Tide tables https://tides.example/a");
        assert_eq!((one.url.as_str(), one.text.as_str()), ("https://tides.example/a", "Tide tables"));
        assert_eq!(shared("https://tides.example/", "High\n\nat noon").text, "> High\n>\n> at noon");
        assert_eq!(shared("", "no address").url, "");
    }

    #[test]
    fn the_bookmarklet_is_one_line_for_this_coffer() {
        let code = bookmarklet("https://links.example");
        assert!(code.starts_with("javascript:") && code.contains("'https://links.example/capture?url='"));
        assert!(!code.contains('\n') && !code.contains('"'));
    }
}
