//! The table of floors in docs/architecture.md holds: a room imports only from floors below it, so no import runs upward
//! and none sideways.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

type Floors = BTreeMap<String, u32>;

/// The row of every room that has none of its own.
const OTHERS: &str = "*";

#[test]
fn no_import_runs_upward_or_sideways() {
    let src = root().join("src");
    let (floors, files) = (floors(), files(&src));
    let wrong: Vec<_> = files.iter().flat_map(|file| wrong_imports(&src, file, &floors)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_row_is_of_a_room() {
    let src = root().join("src");
    let rooms: BTreeSet<_> = files(&src).iter().map(|file| room(&src, file)).collect();
    let gone: Vec<_> = floors().into_keys().filter(|row| row != OTHERS && !rooms.contains(row)).collect();
    assert!(gone.is_empty() && floors().contains_key(OTHERS), "{gone:?}");
}

#[test]
fn an_import_is_found_however_it_is_written() {
    let found = |text| imports(text).collect::<Vec<_>>();
    assert_eq!(found("use crate::db::Db;\nlet all = crate::app::openapi();"), ["db", "app"]);
    assert_eq!(found("use crate::{audit, cache::{self, Cache}, web::path::Id};"), ["audit", "cache", "web"]);
    assert_eq!(
        found("/// See [`crate::app`].\n#[cfg(test)]\nmod tests {\n    use crate::config::Config;\n}"),
        [""; 0]
    );
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The rows `| 4 | `db`, `redis` |` of the table.
fn floors() -> Floors {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).expect("the page");
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        Some((cells.next()?.trim().parse::<u32>().ok()?, cells.next()?.to_owned()))
    });
    rows.flat_map(|(floor, rooms)| {
        let names = rooms.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        names.into_iter().map(move |name| (name, floor))
    })
    .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let is_code = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "rs");
    let is_test = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == "tests");
    let here = files.into_iter().filter(|path| is_code(path) && !is_test(path));
    let below = folders.iter().filter(|path| !is_test(path)).flat_map(|path| self::files(path));
    here.chain(below).collect()
}

/// The folder or file right below `src`.
fn room(src: &Path, file: &Path) -> String {
    let first = file.strip_prefix(src).expect("below src").iter().next().expect("a name");
    first.to_str().expect("UTF-8").trim_end_matches(".rs").to_owned()
}

fn wrong_imports(src: &Path, file: &Path, floors: &Floors) -> Vec<String> {
    let (here, text) = (room(src, file), std::fs::read_to_string(file).expect("a file"));
    if ["lib", "main"].contains(&here.as_str()) {
        return Vec::new();
    }
    let floor_of = |room: &str| floors.get(room).unwrap_or(&floors[OTHERS]);
    let floor = floor_of(&here);
    let wrong = imports(&text).filter(|there| *there != here && floor_of(there) >= floor);
    wrong.map(|there| format!("{} (floor {floor}) imports {there}", file.display())).collect()
}

/// The rooms that a file names after `crate::`, without its comments and unit tests.
fn imports(text: &str) -> impl Iterator<Item = String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut rooms = Vec::new();
    for path in code.split("crate::").skip(1) {
        match path.strip_prefix('{') {
            None => rooms.push(name(path)),
            Some(list) => rooms.extend(members(list)),
        }
    }
    rooms.into_iter()
}

/// The first names in `audit, cache::{self, Cache}}`.
fn members(list: &str) -> Vec<String> {
    let (mut depth, mut names, mut from) = (0, Vec::new(), 0);
    for (at, sign) in list.char_indices() {
        match (sign, depth) {
            ('{', _) => depth += 1,
            (',' | '}', 0) => {
                names.push(name(list[from..at].trim()));
                from = at + 1;
                if sign == '}' {
                    break;
                }
            }
            ('}', _) => depth -= 1,
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn name(path: &str) -> String {
    path.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}
