//! Exports: bookmarks as Netscape HTML, the library as JSON, a ZIP with one Markdown file an entry.
//!
//! A thread of its own writes each export batch by batch, as fast as the client reads. It is never whole in memory.

pub mod api;
mod archive;
mod document;
mod folders;
pub mod pages;
mod pipe;
mod running;
mod store;
mod zip_stream;

use std::io::{self, Write};
use std::sync::Arc;

use axum::body::Body;
use axum::http::Method;
use axum::response::Response;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::running::Exports;
use self::running::Progress;
use self::store::{After, PastVersion};
use super::resource::{ResourceBody, RevisionItem};
use super::searches::SavedSearch;
use super::{Resource, Resources, searches};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::timestamp::Timestamp;
use crate::web::attachment::{attachment, headers_alone};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema, ValueEnum)]
#[schema(rename_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Bookmarks that every browser imports; links only.
    Html,
    /// The same with a folder for each link whose tag has levels, such as `work/rust`.
    HtmlFolders,
    /// All entries without their older versions.
    Json,
    /// The same with their older versions.
    JsonVersions,
    /// A ZIP with one Markdown file an entry.
    Markdown,
}

impl Format {
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_str(text, false).ok()
    }

    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Html | Self::HtmlFolders => "coffer-bookmarks.html",
            Self::Json | Self::JsonVersions => "coffer-library.json",
            Self::Markdown => "coffer-library.zip",
        }
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Html | Self::HtmlFolders => "text/html; charset=utf-8",
            Self::Json | Self::JsonVersions => "application/json",
            Self::Markdown => "application/zip",
        }
    }
}

/// What [`Format::Json`] and [`Format::JsonVersions`] hold; it is written piece by piece.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct ExportDocument<'a> {
    #[schema(value_type = String, format = DateTime)]
    exported_at: Timestamp,
    resources: Vec<ExportedResource<'a>>,
}

#[derive(Serialize, ToSchema)]
struct ExportedResource<'a> {
    #[serde(flatten)]
    resource: ResourceBody<'a>,
    /// Every version, the oldest first; only in `json-versions`.
    #[serde(skip_serializing_if = "Option::is_none")]
    revisions: Option<Vec<RevisionItem>>,
}

/// A ZIP.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct Archive(Vec<u8>);

/// One more file for the archive of everything.
pub struct Extra {
    pub name: &'static str,
    pub bytes: Vec<u8>,
}

impl Resources {
    /// The viewer's own library with the trash, as a body that is written while it is sent.
    ///
    /// # Errors
    /// [`Error::Busy`] when [`running::AT_ONCE`] exports run already.
    pub fn export(&self, viewer: &Viewer, format: Format) -> Result<Body> {
        self.start_export(viewer, move |library, out| {
            library.expect(1)?;
            write(library, format, out)
        })
    }

    /// The same as a file to save. `HEAD` asks for its headers alone, so nothing is written.
    ///
    /// # Errors
    /// Those of [`Resources::export`].
    pub fn export_file(&self, viewer: &Viewer, format: Format, method: &Method) -> Result<Response> {
        let (media_type, file_name) = (format.media_type(), format.file_name());
        if method == Method::HEAD {
            return Ok(headers_alone(media_type, file_name));
        }
        Ok(attachment(self.export(viewer, format)?, media_type, file_name))
    }

    /// The same to a file or the terminal.
    pub async fn export_to(
        &self,
        viewer: &Viewer,
        format: Format,
        mut out: impl Write + Send + 'static,
    ) -> Result<()> {
        let owner = viewer.signed_in()?.id;
        let own = Library::new(self.clone(), owner, Progress::new(owner).into());
        tokio::task::spawn_blocking(move || write(&own, format, &mut out).and_then(|()| out.flush()))
            .await
            .map_err(|e| Error::Internal(format!("export: {e}")))?
            .map_err(|e| Error::Internal(format!("export: {e}")))
    }

    /// A ZIP of the whole library with every version, in all formats, with `extras`.
    ///
    /// # Errors
    /// [`Error::Busy`] when [`running::AT_ONCE`] exports run already.
    pub fn export_everything(&self, viewer: &Viewer, extras: Vec<Extra>) -> Result<Body> {
        self.start_export(viewer, move |library, out| {
            library.expect(archive::PASSES)?;
            archive::everything(library, &extras, out)
        })
    }

    /// The chosen ones of the viewer's entries, as bookmarks.
    ///
    /// # Errors
    /// [`Error::Busy`] when [`running::AT_ONCE`] exports run already.
    pub fn export_chosen(&self, viewer: &Viewer, ids: Vec<Uuid>) -> Result<Body> {
        self.start_export(viewer, move |library, out| {
            document::html(&Library { chosen: Some(ids), ..library.clone() }, out)
        })
    }

    fn start_export(
        &self,
        viewer: &Viewer,
        write: impl FnOnce(&Library, &mut dyn Write) -> io::Result<()> + Send + 'static,
    ) -> Result<Body> {
        let owner = viewer.signed_in()?.id;
        let running = self.exports.start(owner)?;
        let own = Library::new(self.clone(), owner, running.progress.clone());
        Ok(pipe::body(move |out| {
            let _running = running;
            write(&own, out)
        }))
    }

    /// How far each of the viewer's exports on this node is, in percent.
    pub fn percents_of_exports(&self, viewer: &Viewer) -> Result<Vec<u64>> {
        Ok(self.exports.percents(viewer.signed_in()?.id))
    }
}

fn write(library: &Library, format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Html => document::html(library, out),
        Format::HtmlFolders => folders::html(library, out),
        Format::Json => document::json(library, out),
        Format::JsonVersions => document::json_with_versions(library, out),
        Format::Markdown => archive::markdown(library, out),
    }
}

/// One person's entries, read in batches by a thread that may block.
#[derive(Clone)]
struct Library {
    resources: Resources,
    owner: Uuid,
    /// Only these entries; `None` for all.
    chosen: Option<Vec<Uuid>>,
    progress: Arc<Progress>,
    runtime: tokio::runtime::Handle,
}

impl Library {
    fn new(resources: Resources, owner: Uuid, progress: Arc<Progress>) -> Self {
        Self { resources, owner, chosen: None, progress, runtime: tokio::runtime::Handle::current() }
    }

    /// Says that every entry is written so often.
    fn expect(&self, passes: u64) -> io::Result<()> {
        let counting = store::count(&self.resources.db, self.owner);
        let count = self.runtime.block_on(counting).map_err(io::Error::other)?;
        self.progress.expect(u64::try_from(count).unwrap_or_default() * passes);
        Ok(())
    }

    /// Calls `take` with every entry, oldest first, then those in the trash.
    fn each_batch(&self, mut take: impl FnMut(Vec<Resource>) -> io::Result<()>) -> io::Result<()> {
        if let Some(chosen) = &self.chosen {
            return chosen.chunks(store::BATCH).try_for_each(|ids| take(self.chosen_of(ids)?));
        }
        for in_trash in [false, true] {
            let mut after = Some(After::start(in_trash));
            while let Some(place) = after {
                let batch = store::batch(&self.resources.db, self.owner, place);
                let batch = self.runtime.block_on(batch).map_err(io::Error::other)?;
                after = place.following(&batch);
                let count = batch.len();
                take(batch)?;
                self.progress.add(count);
            }
        }
        Ok(())
    }

    /// Those of the entries, in this order.
    fn chosen_of(&self, ids: &[Uuid]) -> io::Result<Vec<Resource>> {
        let chosen = store::chosen(&self.resources.db, self.owner, ids);
        self.runtime.block_on(chosen).map_err(io::Error::other)
    }

    fn revisions(&self, batch: &[Resource]) -> io::Result<Vec<PastVersion>> {
        let ids: Vec<Uuid> = batch.iter().map(|resource| resource.id).collect();
        let revisions = store::revisions(&self.resources.db, &ids);
        self.runtime.block_on(revisions).map_err(io::Error::other)
    }

    fn searches(&self) -> io::Result<Vec<SavedSearch>> {
        let searches = searches::store::of_user(&self.resources.db, self.owner);
        self.runtime.block_on(searches).map_err(io::Error::other)
    }

    fn now(&self) -> String {
        self.resources.context.now().json()
    }
}
