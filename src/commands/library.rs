//! `coffer import` and `coffer seed`: what comes into a library, with a progress bar.

mod remote;

use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use uuid::Uuid;

use super::{open_or_make, owner, sentence};
use crate::app::App;
use crate::cli::args::{ImportArgs, SeedArgs};
use crate::config::Config;
use crate::error::Error;
use crate::identity::Viewer;
use crate::resources::import::choices::Choices;
use crate::resources::import::{CHOOSE_ENCODING, File, Report};

const BAR: &str = "{msg} {bar:32} {human_pos}/{human_len} {elapsed}";

pub async fn import(args: ImportArgs, config: Config) -> Result<(), String> {
    let bytes =
        std::fs::read(&args.file).map_err(|e| format!("Cannot read {}: {e}.", args.file.display()))?;
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if let Some(server) = &args.server {
        return remote::import(&args, server, &name, bytes).await;
    }
    let app = open_or_make(config).await?;
    let owner = owner(&app, args.user.as_deref()).await?;
    let charset = args.charset.map(|charset| charset.name().to_owned()).unwrap_or_default();
    let choices = Choices {
        visibility: args.visibility,
        charset,
        without_folders: args.without_folders,
        ..Choices::default()
    };
    let file = File { name: &name, bytes: bytes.into(), choices };
    let viewer = Viewer::Member(Arc::new(owner));
    let done = bring_in(&app, &viewer, file, args.preview).await;
    app.close().await;
    done.map_err(|error| import_error(&error))
}

async fn bring_in(app: &App, viewer: &Viewer, file: File<'_>, is_preview: bool) -> Result<(), Error> {
    let resources = &app.library.resources;
    if is_preview {
        let id = resources.preview_import(viewer, file).await?;
        preview(&resources.find_import(viewer, id).await?.report);
        return Ok(());
    }
    let bar = bar("Importing");
    let imported = resources.import(viewer, file, |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    let (id, report) = imported.await?;
    bar.finish_and_clear();
    tell(&report, id);
    Ok(())
}

/// Lines that a preview shows of what is refused.
const REFUSALS: usize = 20;
const TAGS: usize = 50;

/// What a file would do, with what it refuses and the tags that it makes.
fn preview(report: &Report) {
    summary(report);
    refusals(report, REFUSALS);
    let named = report.new_tags.len().min(TAGS);
    if named > 0 {
        println!("New tags: {}.", report.new_tags[..named].join(", "));
        and_more(report.new_tag_count, named);
    }
}

fn summary(report: &Report) {
    println!("{}: {}.", report.file_name, report.format);
    println!(
        "It has {} new, {} already saved, {} in the trash, {} to skip. It makes {} new tags.",
        report.new, report.duplicate, report.in_trash, report.refused, report.new_tag_count
    );
}

fn import_error(error: &Error) -> String {
    for_terminal(&sentence(error))
}

/// A sentence of the page as the terminal says it.
fn for_terminal(sentence: &str) -> String {
    sentence.replace(CHOOSE_ENCODING, "Name the encoding with --charset, for example --charset gbk.")
}

fn tell(report: &Report, import: Uuid) {
    println!("{} new, {} already saved, {} skipped.", report.new, report.duplicate, report.refused);
    if let Some(charset) = &report.charset {
        let characters = if report.unreadable == 1 { "character" } else { "characters" };
        println!(
            "{} {characters} could not be read as {charset}. To use a different encoding, add --charset.",
            report.unreadable
        );
    }
    refusals(report, report.refusals.len());
    println!("{} already saved got new tags, {} were shortened.", report.merged, report.shortened);
    for merged in report.duplicates.iter().filter(|duplicate| !duplicate.added.is_empty()) {
        println!("  line {}: new tags {} ({})", merged.line, merged.added.join(", "), merged.title);
    }
    for shortening in &report.shortenings {
        println!("  line {}: {} ({})", shortening.line, shortening.what, shortening.title);
    }
    and_more(report.shortened, report.shortenings.len());
    println!("You can undo it for 30 days on the page /import/{import}, which /import leads to.");
}

/// The first of the lines that can't come in.
fn refusals(report: &Report, most: usize) {
    let shown = report.refusals.len().min(most);
    for refusal in &report.refusals[..shown] {
        let address = if refusal.address == refusal.text { "" } else { &refusal.address };
        let what = format!("{} {address}", refusal.text);
        println!("  line {}: {} ({})", refusal.line, refusal.reason, what.trim_end());
    }
    and_more(report.refused, shown);
}

fn and_more(all: usize, shown: usize) {
    if shown < all {
        println!("  … and {} more", all - shown);
    }
}

pub async fn seed(args: SeedArgs, config: Config) -> Result<(), String> {
    let app = open_or_make(config).await?;
    let owner = match app.accounts.by_username(&args.user).await.map_err(|e| sentence(&e))? {
        Some(owner) => owner,
        None => app.accounts.create_without_password(&args.user).await.map_err(|e| sentence(&e))?,
    };
    let bar = bar("Seeding");
    bar.set_length(args.count);
    let viewer = Viewer::Member(Arc::new(owner));
    let seeding = app.library.resources.seed(&viewer, args.count, |done| bar.set_position(done));
    let added = seeding.await.map_err(|e| sentence(&e))?;
    bar.finish_and_clear();
    println!("Added {added} resources to {}'s library.", args.user);
    app.close().await;
    Ok(())
}

fn bar(message: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_message(message)
}
