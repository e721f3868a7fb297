//! Many entries at once: chosen in the list, changed, and undone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tokio::time::timeout;
use uuid::Uuid;

use super::back::Back;
use super::changed::{Changed, What};
use crate::error::{Code, Error, Result};
use crate::identity::Viewer;
use crate::resources::bulk::{self, BulkChange, Progress};
use crate::resources::export::Format;
use crate::resources::listing::ListParams;
use crate::resources::{Resources, Visibility, tag};
use crate::web::attachment::attachment;
use crate::web::forms::{Form, pairs};
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::path::Id;
use crate::web::sudo::Sudo;

/// The answer waits so long for a change; a longer one goes on behind a page with its progress.
const WAITED_FOR: Duration = Duration::from_millis(1_500);
/// The checkbox of an entry is named by its id, as each name of a form has one value.
const PICK: &str = "pick-";

#[derive(Template)]
#[template(path = "resources/bulk_confirm.html")]
struct SurePage {
    context: PageContext,
    sentence: String,
    hidden: Vec<Hidden>,
    back: String,
}

struct Hidden {
    name: &'static str,
    value: String,
}

#[derive(Template)]
#[template(path = "resources/bulk_progress.html")]
struct ProgressPage {
    context: PageContext,
    progress: Progress,
    what: &'static str,
}

impl ProgressPage {
    fn done(&self) -> i64 {
        self.progress.total - self.progress.waiting
    }
}

/// The bar of the list.
pub async fn change(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    from: Back,
    sudo: Result<Sudo, Error>,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Result<Response> {
    viewer.signed_in()?;
    let form = BarForm { fields };
    let back = Back::from_field(form.get("back")).or(from);
    if form.get("act") == "export" {
        sudo?;
        let format = Format::Html;
        let ids = form.ids(&resources, &viewer).await?;
        let body = resources.export_chosen(&viewer, ids)?;
        return Ok(attachment(body, format.media_type(), format.file_name()));
    }
    let change = form.change()?;
    let ids = form.ids(&resources, &viewer).await?;
    if ids.is_empty() {
        return Err(Error::field("ids", "Select at least one entry first."));
    }
    if !form.get("all").is_empty() && form.get("sure").is_empty() {
        return sure(context, &form, &change, ids.len(), &back);
    }
    let id = resources.begin_bulk(&viewer, &change, &ids).await?;
    let what = what(&change);
    carry_out(&resources, &viewer, Bulk { id, what }, back.list_or("/resources")).await
}

/// What was filled into the bar.
struct BarForm {
    fields: BTreeMap<String, String>,
}

impl BarForm {
    fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    async fn ids(&self, resources: &Arc<Resources>, viewer: &Viewer) -> Result<Vec<Uuid>> {
        if self.get("all").is_empty() {
            return Ok(self.fields.keys().filter_map(|name| name.strip_prefix(PICK)?.parse().ok()).collect());
        }
        resources.own_ids(viewer, &self.search()?).await
    }

    fn change(&self) -> Result<BulkChange> {
        let tags = || {
            let tags =
                tag::parse_list(self.get("tags"), &[]).map_err(|e| Error::field("tags", e.to_string()))?;
            if tags.is_empty() {
                return Err(Error::field("tags", "Enter at least one tag next to the tag buttons."));
            }
            Ok(tags.into_iter().map(|tag| tag.name).collect())
        };
        match self.get("act") {
            "add-tags" => tags().map(BulkChange::AddTags),
            "remove-tags" => tags().map(BulkChange::RemoveTags),
            "visibility" => {
                Visibility::parse(self.get("visibility")).map(BulkChange::Visibility).ok_or_else(|| {
                    Error::field("visibility", "Choose a visibility: private, members or public.")
                })
            }
            "pin" => Ok(BulkChange::Pin(true)),
            "unpin" => Ok(BulkChange::Pin(false)),
            "unread" => Ok(BulkChange::Unread(true)),
            "read" => Ok(BulkChange::Unread(false)),
            "trash" => Ok(BulkChange::Trash),
            "restore" => Ok(BulkChange::Restore),
            _ => Err(Error::Malformed {
                code: Code::BadParameter,
                message: "Choose what to do with the selected entries.".into(),
            }),
        }
    }

    /// The search whose results are all meant.
    fn search(&self) -> Result<ListParams> {
        let mut params = ListParams::default();
        for (name, value) in pairs(self.get("list").as_bytes())? {
            match name.as_str() {
                "q" => params.q = value,
                "tag" => params.tag = value,
                "kind" => params.kind = value,
                "pinned" => params.pinned = value,
                _ => {}
            }
        }
        Ok(params)
    }
}

/// Asks once more, with the number.
fn sure(
    context: PageContext,
    form: &BarForm,
    change: &BulkChange,
    count: usize,
    back: &Back,
) -> Result<Response> {
    let entries = if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") };
    let names = ["act", "tags", "visibility", "all", "list"];
    let hidden = names.map(|name| Hidden { name, value: form.get(name).to_owned() });
    let page_of = SurePage {
        context: context.section("library"),
        sentence: format!("{} {entries}?", question(change)),
        hidden: hidden.into(),
        back: back.list_or("/resources").to_owned(),
    };
    page(&page_of, false)
}

const fn question(change: &BulkChange) -> &'static str {
    match change {
        BulkChange::AddTags(_) => "Add tags to",
        BulkChange::RemoveTags(_) | BulkChange::Retag(_) | BulkChange::Respell(_) => "Remove tags from",
        BulkChange::Visibility(_) => "Change the visibility of",
        BulkChange::Pin(true) => "Pin",
        BulkChange::Pin(false) => "Unpin",
        BulkChange::Unread(true) => "Keep to read later:",
        BulkChange::Unread(false) => "Mark as read:",
        BulkChange::Trash => "Move to trash:",
        BulkChange::Restore => "Restore",
    }
}

const fn what(change: &BulkChange) -> What {
    match change {
        BulkChange::AddTags(_) => What::Tagged,
        BulkChange::RemoveTags(_) => What::Untagged,
        BulkChange::Retag(_) | BulkChange::Respell(_) => What::Renamed,
        BulkChange::Visibility(_) => What::Visibility,
        BulkChange::Pin(true) => What::Pinned,
        BulkChange::Pin(false) => What::Unpinned,
        BulkChange::Unread(true) => What::Unread,
        BulkChange::Unread(false) => What::Read,
        BulkChange::Trash => What::Trashed,
        BulkChange::Restore => What::Restored,
    }
}

/// A change that has begun, and what its flash says.
pub(super) struct Bulk {
    pub id: Uuid,
    pub what: What,
}

/// Carries it out. What takes longer goes on behind its own page.
pub(super) async fn carry_out(
    resources: &Arc<Resources>,
    viewer: &Viewer,
    bulk: Bulk,
    back: &str,
) -> Result<Response> {
    let (runner, id) = (resources.clone(), bulk.id);
    let running = tokio::spawn(async move {
        if let Err(error) = runner.run_bulk(id).await {
            tracing::warn!(?error, "a change of many entries stopped; it goes on within half a minute");
        }
    });
    let _ = timeout(WAITED_FOR, running).await;
    let progress = resources.bulk_progress(viewer, id).await?;
    if progress.state.is_open() || progress.refused > 0 {
        return Ok(redirect(&format!("/changes/{id}"), None));
    }
    let entries = u32::try_from(progress.changed).unwrap_or(u32::MAX);
    Ok(redirect(back, Some(Changed { what: bulk.what, entries, id }.flash())))
}

pub async fn progress(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    Id(id): Id,
) -> Result<Response> {
    let progress = resources.bulk_progress(&viewer, id).await?;
    let toast = context.toast.is_some();
    let what = question(&progress.change);
    page(&ProgressPage { context: context.section("library"), progress, what }, toast)
}

pub async fn undo(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    from: Back,
    Id(id): Id,
) -> Result<Response> {
    resources.begin_undo(&viewer, id).await?;
    carry_out(&resources, &viewer, Bulk { id, what: What::Undone }, from.place_or("/resources")).await
}

/// Takes everything back from the trash.
pub async fn restore_all(State(resources): State<Arc<Resources>>, viewer: Viewer) -> Result<Response> {
    let ids = resources.ids_in_trash(&viewer).await?;
    if ids.is_empty() {
        return Ok(redirect("/trash", None));
    }
    let id = resources.begin_bulk(&viewer, &BulkChange::Restore, &ids).await?;
    carry_out(&resources, &viewer, Bulk { id, what: What::Restored }, "/trash").await
}

impl Resources {
    /// The ids of the viewer's own entries that a search finds.
    async fn own_ids(&self, viewer: &Viewer, params: &ListParams) -> Result<Vec<Uuid>> {
        let mut params = ListParams { limit: "200".to_owned(), ..params.clone() };
        let mut ids = Vec::new();
        while ids.len() <= bulk::MOST {
            let listing = self.list(viewer, &params).await?;
            let mine = listing.hits.iter().filter(|hit| hit.resource.is_mine(viewer));
            ids.extend(mine.map(|hit| hit.resource.id));
            match &listing.next {
                Some(next) => params.cursor.clone_from(next),
                None => break,
            }
        }
        Ok(ids)
    }
}
