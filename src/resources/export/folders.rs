//! Bookmarks with folders: a link is in the folder of its first tag that has levels.

use std::io::{self, Write};

use uuid::Uuid;

use super::document::{Escaped, HTML_END, HTML_HEAD, Link, write_links};
use super::{Library, store};
use crate::resources::Resource;

/// Where a link stands in the file.
struct Place {
    folders: Vec<String>,
    id: Uuid,
}

/// Only the places of all links are in memory at once.
pub fn html(library: &Library, out: &mut dyn Write) -> io::Result<()> {
    let mut places = Vec::new();
    library.each_batch(|batch| {
        let links = batch.iter().filter(|one| one.trashed_at.is_none() && one.url.is_some());
        places.extend(links.map(|one| Place { folders: folders_of(one), id: one.id }));
        Ok(())
    })?;
    places.sort_by(|one, other| one.folders.cmp(&other.folders));
    out.write_all(HTML_HEAD.as_bytes())?;
    let mut open: &[String] = &[];
    for part in places.chunks(store::BATCH) {
        let ids: Vec<Uuid> = part.iter().map(|place| place.id).collect();
        let links = library.chosen_of(&ids)?;
        // What was deleted meanwhile is left out.
        for place in part {
            if let Some(link) = links.iter().find(|link| link.id == place.id) {
                go_to(open, &place.folders, out)?;
                open = &place.folders;
                write_links(Link::new(link).into_iter().collect(), out)?;
            }
        }
    }
    go_to(open, &[], out)?;
    out.write_all(HTML_END)
}

fn folders_of(resource: &Resource) -> Vec<String> {
    let tag = resource.tags.0.iter().find(|tag| tag.contains('/'));
    tag.map(|tag| tag.split('/').map(str::to_owned).collect()).unwrap_or_default()
}

/// Closes the folders that end here, and opens those that begin.
fn go_to(open: &[String], next: &[String], out: &mut dyn Write) -> io::Result<()> {
    let common = open.iter().zip(next).take_while(|(one, other)| one == other).count();
    for _ in common..open.len() {
        out.write_all(HTML_END)?;
    }
    for name in &next[common..] {
        write!(out, "<DT><H3>{}</H3>\n<DL><p>\n", Escaped(name.as_str().into()))?;
    }
    Ok(())
}
