use std::fs;
use std::path::{Path, PathBuf};

use super::FIELDS;

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "$level"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("line/tests.rs")
        {
            found.push(path);
        }
    }
}

/// The arguments of each log call: what stands between the macro's parentheses, cut at its outer commas.
fn calls(source: &str) -> Vec<Vec<String>> {
    let begins = LEVELS.iter().flat_map(|level| {
        let call = format!("tracing::{level}!(");
        source.match_indices(&call).map(|(at, call)| at + call.len()).collect::<Vec<_>>()
    });
    begins.map(|at| arguments(&source[at..])).collect()
}

fn arguments(text: &str) -> Vec<String> {
    let (mut arguments, mut current) = (Vec::new(), String::new());
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth > 0 => depth -= 1,
            ')' => break,
            ',' if depth == 0 => {
                arguments.push(std::mem::take(&mut current).trim().to_owned());
                continue;
            }
            _ => {}
        }
        current.push(c);
    }
    arguments.push(current.trim().to_owned());
    arguments
}

/// The field that an argument names; `None` from the message on.
fn field(argument: &str) -> Option<&str> {
    let name = argument.split('=').next().unwrap_or_default().trim().trim_start_matches(['%', '?']);
    (!argument.starts_with('"')).then_some(name.split_whitespace().next().unwrap_or_default())
}

#[test]
fn every_field_of_every_log_call_reaches_the_log() {
    let mut files = Vec::new();
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    let (mut count, mut lost) = (0, Vec::new());
    for file in files {
        for call in calls(&fs::read_to_string(&file).unwrap()) {
            count += 1;
            let fields = call.iter().map_while(|argument| field(argument)).filter(|name| !name.is_empty());
            lost.extend(
                fields
                    .filter(|name| !FIELDS.contains(name))
                    .map(|name| format!("{}: {name}", file.display())),
            );
        }
    }
    assert!(count > 30, "{count} calls: they are written otherwise than this test reads them");
    assert!(lost.is_empty(), "add these to FIELDS if they may be logged: {lost:#?}");
}

#[test]
fn calls_are_read_however_they_are_written() {
    let source = r#"tracing::warn!(event = "a, b", %id, ?error, kind = slot.kind.as_str(x, y), count, "said {}, {x}", x);
        tracing::debug!("only words");"#;
    let fields: Vec<Vec<_>> = calls(source)
        .iter()
        .map(|call| call.iter().map_while(|a| field(a)).map(str::to_owned).collect())
        .collect();
    assert_eq!(fields, [vec!["event", "id", "error", "kind", "count"], vec![]] as [Vec<&str>; 2]);
}
