//! What a file seems to be that is no bookmark file, so that people are told what to choose instead.

use netscape_bookmarks::Error;

use super::FileError;

const TAKE_HTML: &str = "Export your bookmarks as HTML and choose that file.";
/// What a format that coffer reads comes to when it has nothing to read in it.
const NO_LINKS: &str = "It is damaged, or there are no links in it.";
/// How PNG, JPEG and GIF begin.
const PICTURES: [&[u8]; 3] = [b"\x89PNG", b"\xFF\xD8\xFF", b"GIF8"];
const TAKE_OUT: &str = "If the file with your bookmarks is in it, extract that file and choose it.";
const NAME_ADDRESSES: &str =
    "Call the column of addresses “url” in its first line, and choose the file again.";
/// How an email as a file begins.
const EMAIL: [&str; 9] = [
    "from:", "from ", "to:", "date:", "subject:", "received:", "return-path:", "delivered-to:",
    "mime-version:",
];

/// Files that are no text.
pub fn binary(bytes: &[u8]) -> Option<FileError> {
    let other = |what, advice| Some(FileError::Other { what, advice });
    match bytes {
        [0x1F, 0x8B, ..] => other("a compressed file", TAKE_OUT),
        _ if bytes.starts_with(b"SQLite format 3\0") => other("a database", TAKE_HTML),
        _ if bytes.starts_with(b"mozLz40\0") => other("a Firefox backup", TAKE_HTML),
        _ if bytes.starts_with(b"bplist00") => other("Safari’s internal bookmarks file", TAKE_HTML),
        _ if bytes.starts_with(b"%PDF-") => other("a PDF document", TAKE_HTML),
        _ if PICTURES.iter().any(|start| bytes.starts_with(start)) => other("a picture", TAKE_HTML),
        _ if bytes.starts_with(b"RIFF") || bytes.get(4..8) == Some(b"ftyp") || bytes.starts_with(b"ID3") => {
            other("a picture, sound or video", TAKE_HTML)
        }
        [0x7F, b'E', b'L', b'F', ..] | [b'M', b'Z', ..] if is_full_of_nuls(bytes) => {
            other("a program", TAKE_HTML)
        }
        _ if bytes.starts_with(b"Rar!") || bytes.starts_with(b"7z\xBC\xAF") => other("an archive", TAKE_OUT),
        _ => is_full_of_nuls(bytes).then_some(FileError::Binary),
    }
}

/// A ZIP without a file that coffer reads.
pub const fn archive() -> FileError {
    FileError::Other { what: "a ZIP archive without Markdown files", advice: TAKE_OUT }
}

/// A ZIP that is a document or a program.
pub const fn document() -> FileError {
    FileError::Other { what: "a document or a program", advice: TAKE_HTML }
}

/// A few NULs are an accident; UTF-16 without a mark begins with `<`.
fn is_full_of_nuls(bytes: &[u8]) -> bool {
    let is_utf16 = matches!(bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [b'<', 0, ..] | [0, b'<', ..]);
    let nuls = bytes.split(|byte| *byte == 0).count() - 1;
    !is_utf16 && nuls > 2 && nuls * 8 > bytes.len()
}

/// Formats of other programs, some of which hold HTML with links inside.
pub fn other_format(text: &str) -> Option<FileError> {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
    let head = head(text).to_ascii_lowercase();
    let what = if is_json(text) {
        return Some(json(&head));
    } else if head.contains("<opml") {
        "OPML, a list of feeds"
    } else if head.contains("<rss") || head.contains("<feed") || head.contains("<rdf:rdf") {
        "a feed"
    } else if head.contains("<xbel") {
        "XBEL"
    } else if head.contains("<plist") {
        "Safari’s internal bookmarks file"
    } else if head.starts_with("<?xml") && !head.contains("<html") && !head.contains("<dl") {
        "XML"
    } else if head.starts_with("opera hotlist") {
        "an Opera hotlist"
    } else if is_csv(&head) {
        return Some(FileError::Other { what: "a table (CSV)", advice: NO_LINKS });
    } else {
        return None;
    };
    Some(FileError::Other { what, advice: TAKE_HTML })
}

fn head(text: &str) -> &str {
    let end = text.char_indices().nth(1_000).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

/// `{` or `[`, then what may follow it in JSON.
fn is_json(text: &str) -> bool {
    let Some(inside) = text.strip_prefix(['{', '[']) else { return false };
    let next = inside.trim_start().chars().next();
    next.is_none_or(|c| {
        matches!(c, '"' | '{' | '[' | '}' | ']' | '-' | 't' | 'f' | 'n') || c.is_ascii_digit()
    })
}

fn json(head: &str) -> FileError {
    let has = |names: &[&str]| names.iter().all(|name| head.contains(&format!("\"{name}\"")));
    let what = if has(&["exported_at", "resources"]) {
        "coffer’s own JSON export"
    } else if has(&["roots"]) {
        "Chrome’s internal bookmarks file (JSON)"
    } else if head.contains("text/x-moz-place") {
        "a Firefox backup (JSON)"
    } else if has(&["is_archived"]) {
        "wallabag’s JSON export"
    } else if has(&["href", "toread"]) {
        "Pinboard’s JSON export"
    } else {
        "JSON"
    };
    FileError::Other { what, advice: NO_LINKS }
}

/// A first line of names separated by commas, one of which is the address.
fn is_csv(head: &str) -> bool {
    let Some(line) = head.lines().next().filter(|line| !line.contains('<')) else { return false };
    let names: Vec<&str> = line.split([',', ';', '\t']).map(|name| name.trim_matches(['"', ' '])).collect();
    names.len() > 1 && names.iter().any(|name| matches!(*name, "url" | "href" | "link" | "address"))
}

/// Why a text is refused.
pub fn text(error: Error, text: &str) -> FileError {
    match error {
        Error::Empty => FileError::Empty,
        Error::NotBookmarks => without_bookmarks(text.trim_start()),
        Error::TooManyAttributes => FileError::Damaged,
        Error::Charset { guess } => FileError::Charset { guess },
    }
}

/// Most often a page that was saved.
fn without_bookmarks(text: &str) -> FileError {
    let head = head(text).to_ascii_lowercase();
    let (what, advice) = if is_email(&head) {
        ("an email", TAKE_HTML)
    } else if head.starts_with("<?php") || head.starts_with("#!") {
        ("a program", TAKE_HTML)
    } else if head.starts_with('<') || head.contains("<html") {
        ("a web page", TAKE_HTML)
    } else if is_table(text) {
        ("a table without a column of addresses", NAME_ADDRESSES)
    } else {
        ("a text", TAKE_HTML)
    };
    FileError::Other { what, advice }
}

/// A line of its head, and another one below it.
fn is_email(head: &str) -> bool {
    let is_line = |line: &str| EMAIL.iter().any(|name| line.starts_with(name));
    head.lines().next().is_some_and(is_line) && head.lines().skip(1).any(is_line)
}

/// Whether the first two lines have as many cells, of which none is a part of a sentence.
fn is_table(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(2).collect();
    let [first, second] = lines[..] else { return false };
    [',', ';', '\t'].into_iter().any(|sign| {
        let cells = first.matches(sign).count();
        cells > 0 && cells == second.matches(sign).count() && !first.contains(&format!("{sign} "))
    })
}
