//! The pages on which a tag is renamed, merged or deleted.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::bulk::{Bulk, carry_out};
use super::changed::What;
use super::views::tag_href;
use crate::error::{Error, FieldErrors, Result};
use crate::identity::Viewer;
use crate::resources::Resources;
use crate::resources::bulk::BulkChange;
use crate::resources::retag::{TagStep, TagWish};
use crate::resources::tag::{self, split_tags};
use crate::web::forms::{Form, Query};
use crate::web::page_context::{PageContext, page};

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct TagForm {
    /// One tag, or several between commas.
    tag: String,
    to: String,
    /// `yes` to delete them.
    delete: String,
    /// `yes`: those below them too.
    below: String,
    /// `yes`: what the preview showed is meant.
    sure: String,
}

impl TagForm {
    fn wish(&self) -> TagWish {
        TagWish {
            from: split_tags(&self.tag),
            to: (self.delete != "yes").then(|| self.to.clone()),
            below: self.below == "yes",
        }
    }
}

#[derive(Template)]
#[template(path = "resources/tag_edit.html")]
struct TagEditPage {
    context: PageContext,
    name: String,
    to: String,
    count: i64,
    below: usize,
    takes_below: bool,
    href: String,
    errors: FieldErrors,
}

pub async fn edit(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    Query(form): Query<TagForm>,
) -> Result<Response> {
    let form = TagForm { to: form.tag.clone(), below: "yes".to_owned(), ..form };
    page(&edit_page(&resources, &viewer, context, &form, FieldErrors::default()).await?, false)
}

async fn edit_page(
    resources: &Arc<Resources>,
    viewer: &Viewer,
    context: PageContext,
    form: &TagForm,
    errors: FieldErrors,
) -> Result<TagEditPage> {
    let own = resources.own_tags(viewer).await?;
    let folded = tag::fold(&form.tag);
    let found = own.iter().find(|tag| tag.folded == folded).ok_or(Error::NotFound)?;
    let seen = resources.tags(viewer).await?;
    let below = tag::range_of(&folded);
    Ok(TagEditPage {
        context: context.section("tags"),
        name: found.name.clone(),
        to: form.to.clone(),
        count: seen.iter().find(|tag| tag::fold(&tag.name) == folded).map_or(0, |tag| tag.count),
        below: own.iter().filter(|tag| below.contains(&tag.folded)).count(),
        takes_below: form.below == "yes",
        href: tag_href(&found.name),
        errors,
    })
}

#[derive(Template)]
#[template(path = "resources/tag_plan.html")]
struct TagPlanPage {
    context: PageContext,
    form: TagForm,
    steps: Vec<TagStep>,
    entries: usize,
    merges: bool,
}

/// What a change would do.
pub async fn plan(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    Query(form): Query<TagForm>,
) -> Result<Response> {
    let plan = resources.plan_tags(&viewer, &form.wish()).await?;
    page(&plan_page(context, form, plan.steps, plan.ids.len()), false)
}

fn plan_page(context: PageContext, form: TagForm, steps: Vec<TagStep>, entries: usize) -> TagPlanPage {
    let merges = steps.iter().any(|step| step.merges);
    TagPlanPage { context: context.section("tags"), form, steps, entries, merges }
}

/// Renames, merges or deletes. A merge that no preview has shown is shown first.
pub async fn change(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    Form(form): Form<TagForm>,
) -> Result<Response> {
    let plan = match resources.plan_tags(&viewer, &form.wish()).await {
        Ok(plan) => plan,
        Err(Error::Invalid(errors)) => {
            let again = edit_page(&resources, &viewer, context, &form, errors).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&again, false)?).into_response());
        }
        Err(error) => return Err(error),
    };
    let merges = plan.steps.iter().any(|step| step.merges);
    if merges && form.sure != "yes" {
        let shown = plan_page(context, form, plan.steps, plan.ids.len());
        return Ok((StatusCode::CONFLICT, page(&shown, false)?).into_response());
    }
    if plan.ids.is_empty() && !matches!(plan.change, BulkChange::Respell(_)) {
        return Err(Error::Forbidden("Only entries in your trash have this tag. Restore them first."));
    }
    let id = resources.begin_bulk(&viewer, &plan.change, &plan.ids).await?;
    let what = match (form.delete == "yes", merges) {
        (true, _) => What::Deleted,
        (false, true) => What::Merged,
        (false, false) => What::Renamed,
    };
    carry_out(&resources, &viewer, Bulk { id, what }, "/tags").await
}
