//! The library as a ZIP: one Markdown file an entry, with YAML front matter.

use std::io::{self, Write};

use askama::Template;

use super::zip_stream::ZipStream;
use super::{Extra, Library, document};
use crate::resources::Resource;

/// Times that [`everything`] goes over the library.
pub const PASSES: u64 = 3;
/// Characters of a title in the name of its file.
const NAME_LENGTH: usize = 60;

const READ_ME: &str = "This archive holds everything that your coffer account held.

account.json    who you are there, your devices and tokens (never a password or a secret)
activity.json   what was done in your account
library.json    every link and note with its older versions, what is in the trash included
searches.json   your saved searches, in their order
bookmarks.html  the links, as any browser imports them
entries/        one Markdown file for each link and note
";

pub fn markdown(library: &Library, out: &mut dyn Write) -> io::Result<()> {
    let mut archive = ZipStream::new(out);
    entries(library, &mut archive)?;
    archive.finish()
}

pub fn everything(library: &Library, extras: &[Extra], out: &mut dyn Write) -> io::Result<()> {
    let mut archive = ZipStream::new(out);
    archive.begin("README.txt")?;
    archive.write_all(READ_ME.as_bytes())?;
    for extra in extras {
        archive.begin(extra.name)?;
        archive.write_all(&extra.bytes)?;
    }
    archive.begin("library.json")?;
    document::json_with_versions(library, &mut archive)?;
    archive.begin("searches.json")?;
    serde_json::to_writer_pretty(&mut archive, &library.searches()?)?;
    archive.begin("bookmarks.html")?;
    document::html(library, &mut archive)?;
    entries(library, &mut archive)?;
    archive.finish()
}

fn entries(library: &Library, archive: &mut ZipStream<'_>) -> io::Result<()> {
    library.each_batch(|batch| {
        batch.iter().try_for_each(|resource| {
            archive.begin(&name(resource))?;
            archive.write_all(Entry { resource }.render().map_err(io::Error::other)?.as_bytes())
        })
    })
}

/// A unique name that every file system allows: the title, then the random end of the id.
fn name(resource: &Resource) -> String {
    let folder = if resource.trashed_at.is_some() { "trash" } else { "entries" };
    let mut slug = String::new();
    for c in resource.title.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug: String = slug.chars().take(NAME_LENGTH).collect();
    let id = resource.id.simple().to_string();
    format!("{folder}/{}-{}.md", slug.trim_matches('-'), &id[20..])
}

/// The front matter, then the text.
#[derive(Template)]
#[template(path = "export/entry.md")]
struct Entry<'a> {
    resource: &'a Resource,
}

/// A JSON string is a YAML string, if it also escapes the characters that YAML does not print or that end a line there
/// (YAML 1.2.2 § 5.1, § 5.4).
fn quoted(text: &str) -> String {
    use std::fmt::Write as _;

    let is_escaped = |c: char| {
        matches!(c, '\u{7F}'..='\u{9F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
    };
    let json = serde_json::Value::from(text).to_string();
    json.chars().fold(String::with_capacity(json.len()), |mut quoted, c| {
        if is_escaped(c) {
            let _ = write!(quoted, "\\u{:04x}", u32::from(c));
        } else {
            quoted.push(c);
        }
        quoted
    })
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_yaml_does_not_take_as_it_is_is_escaped() {
        for (text, yaml) in [
            ("plain ä 東 🦀", "\"plain ä 東 🦀\""),
            ("a\u{7F}b\u{85}c\u{9B}d", r#""a\u007fb\u0085c\u009bd""#),
            ("a\u{1}b\n\"c\"", r#""a\u0001b\n\"c\"""#),
            ("a\u{2028}b\u{2029}c\u{FEFF}d\u{FFFE}", r#""a\u2028b\u2029c\ufeffd\ufffe""#),
        ] {
            assert_eq!(quoted(text), yaml, "{text:?}");
            assert_eq!(serde_json::from_str::<String>(yaml).expect("JSON too"), text);
        }
    }
}
