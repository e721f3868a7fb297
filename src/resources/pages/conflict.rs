//! The page for two saves of the same version: yours and the saved one, side by side.

use askama::Template;

use super::back::Back;
use super::form::EntryForm;
use super::views::{At, DiffLine, Side, diff};
use crate::error::FieldErrors;
use crate::resources::Resource;
use crate::web::page_context::PageContext;

#[derive(Template)]
#[template(path = "resources/conflict.html")]
pub struct ConflictPage {
    context: PageContext,
    title: String,
    kind: &'static str,
    action: String,
    back: String,
    discard_href: String,
    saved_version: i64,
    saved: At,
    fields: Vec<ConflictField>,
    /// The difference of the bodies; empty for none.
    diff: Vec<DiffLine>,
    errors: FieldErrors,
}

pub(super) struct ConflictField {
    pub label: &'static str,
    pub name: &'static str,
    yours: String,
    pub saved: String,
    pub differs: bool,
}

impl ConflictField {
    /// Every field, as it was typed and as it is saved.
    pub fn all(yours: &EntryForm, saved: &Resource) -> Vec<Self> {
        let yours = EntryForm { kind: saved.kind.as_str().to_owned(), ..yours.clone() };
        let both = yours.inputs().into_iter().zip(EntryForm::from(saved).inputs());
        both.map(|(yours, saved)| Self {
            label: yours.label,
            name: yours.name,
            differs: yours.value.trim() != saved.value.trim(),
            yours: yours.value,
            saved: saved.value,
        })
        .collect()
    }
}

impl ConflictPage {
    pub fn new(context: PageContext, yours: &EntryForm, saved: &Resource) -> Self {
        let mut fields = ConflictField::all(yours, saved);
        // The title first, as it identifies the resource.
        fields.sort_by_key(|field| field.name != "title");
        Self {
            context: context.section("library"),
            title: saved.title.clone(),
            kind: saved.kind.as_str(),
            action: format!("/resources/{}", saved.id),
            back: Back::from_field(&yours.back).as_str().to_owned(),
            discard_href: format!("/resources/{}", saved.id),
            saved_version: saved.version,
            saved: saved.updated_at.into(),
            fields,
            diff: diff(
                &Side { name: "saved", text: &saved.body },
                &Side { name: "yours", text: &yours.body },
            ),
            errors: FieldErrors::default(),
        }
    }
}
