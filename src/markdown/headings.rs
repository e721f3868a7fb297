//! Headings: their levels on a page, and the names by which a link within the text finds them.

use std::collections::{HashSet, VecDeque};

use pulldown_cmark::{Event, HeadingLevel, Tag, TagEnd};

/// The longest name, in characters.
const LONGEST: usize = 80;

/// Raises all headings so that the highest is of the first level, as a page must skip none (WCAG 2.2, 1.3.1).
pub(super) fn raise(events: &mut [Event<'_>]) {
    let mut levels: Vec<&mut HeadingLevel> = events
        .iter_mut()
        .filter_map(|event| match event {
            Event::Start(Tag::Heading { level, .. }) => Some(level),
            _ => None,
        })
        .collect();
    let highest = levels.iter().map(|level| **level as usize).min().unwrap_or(1);
    for level in &mut levels {
        **level = HeadingLevel::try_from(**level as usize + 1 - highest).unwrap_or(**level);
    }
}

/// A name for each heading in its order, as GitHub makes them: `Tide tables!` is `tide-tables`. Each is given once.
pub(super) fn names(events: &[Event<'_>]) -> VecDeque<String> {
    // Footnotes have names too.
    let mut taken: HashSet<String> = events
        .iter()
        .filter_map(|event| match event {
            Event::Start(Tag::FootnoteDefinition(name)) => Some(name.to_string()),
            _ => None,
        })
        .collect();
    let (mut names, mut open): (VecDeque<String>, Option<String>) = (VecDeque::new(), None);
    for event in events {
        match (event, &mut open) {
            (Event::Start(Tag::Heading { .. }), _) => open = Some(String::new()),
            (Event::Text(text) | Event::Code(text), Some(heading)) => heading.push_str(text),
            (Event::SoftBreak | Event::HardBreak, Some(heading)) => heading.push(' '),
            (Event::End(TagEnd::Heading(_)), Some(heading)) => {
                names.push_back(unique(&slug(heading), &mut taken));
                open = None;
            }
            _ => {}
        }
    }
    names
}

fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter_map(|c| match c {
        c if c.is_whitespace() => Some('-'),
        c if c.is_alphanumeric() || matches!(c, '-' | '_') => Some(c),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).take(LONGEST).collect()
}

fn unique(slug: &str, taken: &mut HashSet<String>) -> String {
    if slug.is_empty() {
        return String::new();
    }
    let mut name = slug.to_owned();
    // No real document has so many headings of one name.
    for number in 1..100 {
        if taken.insert(name.clone()) {
            return name;
        }
        name = format!("{slug}-{number}");
    }
    String::new()
}
