//! The documents as their readers meet them: sections under headings, and blocks of code to be copied.

use std::fs;
use std::path::PathBuf;

/// What stands under one heading.
#[derive(Debug)]
pub struct Section {
    /// The file's name without its ending.
    pub file: String,
    pub heading: String,
    pub text: String,
}

#[derive(Debug)]
pub struct Block {
    pub heading: String,
    pub language: String,
    pub code: String,
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/docs"))
}

/// The page `docs/NAME.md`.
pub fn page(name: &str) -> String {
    let path = folder().join(format!("{name}.md"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every page of the folder, by name.
pub fn pages() -> Vec<String> {
    let files = fs::read_dir(folder()).expect("the documents").flatten().map(|file| file.path());
    let pages = files.filter(|path| path.extension().is_some_and(|end| end == "md"));
    pages.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect()
}

pub fn sections(file: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for (line, is_code) in lines(&page(file)) {
        match line.strip_prefix('#').filter(|_| !is_code) {
            Some(heading) => sections.push(Section {
                file: file.to_owned(),
                heading: heading.trim_start_matches('#').trim().to_owned(),
                text: String::new(),
            }),
            None => {
                if let Some(section) = sections.last_mut() {
                    section.text.push_str(&line);
                    section.text.push('\n');
                }
            }
        }
    }
    sections
}

/// The fenced blocks of a page, in their order.
pub fn blocks(file: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut heading, mut is_open) = (String::new(), false);
    for (line, is_code) in lines(&page(file)) {
        if let Some(language) = line.strip_prefix("```") {
            is_open = !is_open;
            if is_open {
                blocks.push(Block {
                    heading: heading.clone(),
                    language: language.to_owned(),
                    code: String::new(),
                });
            }
        } else if is_code {
            let block = blocks.last_mut().expect("a block is open");
            block.code.push_str(&line);
            block.code.push('\n');
        } else if line.starts_with('#') {
            line.trim_start_matches('#').trim().clone_into(&mut heading);
        }
    }
    blocks
}

/// The blocks in this language under this heading.
#[track_caller]
pub fn under(file: &str, heading: &str, language: &str) -> Vec<String> {
    let blocks = blocks(file).into_iter();
    let wanted = blocks.filter(|block| block.heading == heading && block.language == language);
    let found: Vec<String> = wanted.map(|block| block.code).collect();
    assert!(!found.is_empty(), "{file}.md has {language} under {heading:?}");
    found
}

/// Each line, and whether it is within a fenced block.
fn lines(text: &str) -> impl Iterator<Item = (String, bool)> {
    let mut is_code = false;
    text.lines()
        .map(move |line| {
            let is_fence = line.starts_with("```");
            is_code ^= is_fence;
            (line.to_owned(), is_code && !is_fence)
        })
        .collect::<Vec<_>>()
        .into_iter()
}
