//! How long `coffer import` takes, from its start to its end, into an empty library.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::coffer::Place;
use crate::library::postgres;
use crate::table::{Goal, Table, millis};

const LINKS: usize = 1_348;
const RUNS: usize = 7;

pub async fn import(table: &mut Table, given: Option<&Path>) {
    let server = postgres().await;
    for place in [Place::sqlite(), Place::postgres(&server.url("postgres"))] {
        let file =
            given.map_or_else(|| generated(&place), |path| path.canonicalize().expect("the file's path"));
        let mut samples = Vec::new();
        for run in 0..RUNS {
            let user = format!("owner{run}");
            place.make_user(&user);
            let took = place.run(&["import", "--user", &user, &file.display().to_string()], "");
            samples.push(millis(took));
        }
        table.add(format!("import: {}", place.name), "ms", samples, Some(Goal::Median(2_000.0)));
    }
}

/// A bookmarks file as browsers write it: folders, dates, tags, descriptions.
fn generated(place: &Place) -> PathBuf {
    let mut html =
        "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<TITLE>Bookmarks</TITLE>\n<H1>Bookmarks</H1>\n<DL><p>\n"
            .to_owned();
    for number in 0..LINKS {
        if number % 20 == 0 {
            let end = if number == 0 { "" } else { "</DL><p>\n" };
            let _ =
                writeln!(html, "{end}<DT><H3 ADD_DATE=\"1700000000\">Folder {}</H3>\n<DL><p>", number / 20);
        }
        let (date, tag) = (1_700_000_000 + number, number % 37);
        let _ = writeln!(
            html,
            "<DT><A HREF=\"https://site{number}.example.org/a/page?id={number}\" ADD_DATE=\"{date}\" TAGS=\"tools,topic {tag}\">Page {number} &amp; what it holds</A>\n\
            <DD>A longer description of page {number}: what it is for, who keeps it, and why it was worth keeping at the time."
        );
    }
    html.push_str("</DL><p>\n</DL><p>\n");
    let path = place.folder.path().join("bookmarks.html");
    std::fs::write(&path, html).expect("a file in a temporary folder");
    path
}
