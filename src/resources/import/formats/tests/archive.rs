//! ZIPs of Markdown files.

use std::io::Write as _;

use super::{added, all, open};

fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("a file");
        writer.write_all(text.as_bytes()).expect("its text");
    }
    writer.finish().expect("a ZIP").into_inner()
}

#[test]
fn a_vault_of_notes_and_clippings() {
    let vault = zip(&[
        (".obsidian/app.json", "{}"),
        ("Notes/Sea/Tides.md", "---\ntags:\n  - moon\n  - tables\ncreated: 2023-11-14\n---\nHigh *water*\n"),
        (
            "Clippings/Fog.md",
            "---\ntitle: \"Fog, again\"\nsource: https://fog.example/\nauthor:\n  - \"[[Ada]]\"\n---\n> Thick\n",
        ),
        ("../../etc/passwd.md", "no properties"),
        ("Notes/.hidden.md", "no"),
        ("__MACOSX/Notes/._Tides.md", "no"),
        ("picture.png", "no"),
    ]);
    let source = open(&vault).expect("a vault");
    let found = all(&source);
    assert!(!source.is_own() && found.len() == 3, "{found:?}");
    assert!(found[0].is_note && found[0].title == "Tides" && found[0].notes == "High *water*");
    assert_eq!(
        (found[0].folders.join("/"), found[0].tags.join("/")),
        ("Notes/Sea".to_owned(), "moon/tables".to_owned())
    );
    assert_eq!(added(&found[0]), Some(1_699_920_000));
    assert_eq!((found[1].href.as_str(), found[1].title.as_str()), ("https://fog.example/", "Fog, again"));
    assert_eq!((found[2].title.as_str(), found[2].folders.join("/")), ("passwd", "etc".to_owned()));
}

#[test]
fn omnivore_has_its_entries_in_json_and_their_highlights_in_markdown() {
    let export = zip(&[
        (
            "metadata_0_to_20.json",
            r#"[{"slug":"tides-1","title":"Tides","url":"https://tides.example/","description":"Of the coast",
                "state":"Archived","labels":["sea"]},{"slug":"fog-2","title":"Fog","url":"https://fog.example/"}]"#,
        ),
        (
            "metadata_20_to_40.json",
            r#"[{"slug":"x","title":"X","url":"https://x.example/"},{"url":"\ud800"}]"#,
        ),
        ("highlights/tides-1.md", "> High *water*\n"),
        ("content/tides-1.html", "<p>The page</p>"),
    ]);
    let source = open(&export).expect("an export");
    let found = all(&source);
    let seen: Vec<_> = found.iter().map(|entry| (entry.line, entry.href.as_str())).collect();
    assert_eq!(
        seen,
        [(1, "https://tides.example/"), (2, "https://fog.example/"), (3, "https://x.example/"), (4, "")]
    );
    assert_eq!(
        (found[0].notes.as_str(), found[0].tags.join("/")),
        ("Of the coast\n\n> High *water*", "sea/archived".to_owned())
    );
    assert!(source.format().starts_with("Omnivore") && !source.is_own() && found[1].notes.is_empty());
}

#[test]
fn archives_that_are_none_of_notes_or_unpack_to_too_much_are_refused() {
    let large = "x".repeat(1 << 20);
    let bomb: Vec<(String, &str)> = (0..140).map(|number| (format!("{number}.md"), large.as_str())).collect();
    let bomb: Vec<(&str, &str)> = bomb.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let cut = zip(&[("a.md", "text")]);
    for (archive, sentence) in [
        (zip(&[("a.html", "<DL>")]), "a ZIP archive without Markdown files"),
        (
            zip(&[("part_000000.csv", "title,url")]),
            "If the file with your bookmarks is in it, extract that file",
        ),
        (zip(&[("metadata_0_to_20.json", "[]")]), "a ZIP archive without Markdown files"),
        (zip(&[("[Content_Types].xml", ""), ("a.md", "x")]), "a document or a program"),
        (zip(&bomb), "unpacks to more than 128 MiB"),
        (zip(&[("a.md", &"x".repeat((1 << 20) + 1))]), "a file in it to more than 1 MiB"),
        (cut[..cut.len() - 30].to_vec(), "it is damaged"),
        (b"PK\x03\x04x".to_vec(), "it is damaged"),
    ] {
        let refused = open(&archive).err().expect("a refusal").to_string();
        assert!(refused.contains(sentence), "{sentence}: {refused}");
    }
}
