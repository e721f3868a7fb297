//! `coffer export`: a library as a file.

use std::sync::Arc;

use super::work::Out;
use super::{owner, sentence};
use crate::app::App;
use crate::cli::args::ExportArgs;
use crate::identity::Viewer;

pub async fn run(app: &App, args: ExportArgs, out: Out) -> Result<(), String> {
    let viewer = Viewer::Member(Arc::new(owner(app, args.user.as_deref()).await?));
    app.library.resources.export_to(&viewer, args.format, out).await.map_err(|e| sentence(&e))
}
