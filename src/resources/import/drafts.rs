//! An entry of a file as a draft within the limits.

use super::choices::Choices;
use super::entry::Entry;
use super::formats::Source;
use super::labels::Labels;
use crate::markdown;
use crate::resources::draft::{BODY_LIMIT, TITLE_LIMIT};
use crate::resources::{Draft, Kind, Visibility, tag};

/// Also returns a sentence for each part that is not whole.
pub(super) fn draft_of(entry: &Entry, source: &Source<'_>, choices: &Choices) -> (Draft, Vec<String>) {
    let mut labels = Labels::new(entry, !choices.without_folders);
    let long = entry.title.chars().count() > TITLE_LIMIT;
    let title = if long { cut(&entry.title, TITLE_LIMIT) } else { entry.title.clone() };
    let whole_title = if long { entry.title.as_str() } else { "" };
    let texts =
        [markdown::from_plain(whole_title), markdown::from_plain(&entry.description), entry.notes.clone()];
    let mut body = texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n");
    if long {
        labels.shortened.push(format!(
            "Its title is longer than {TITLE_LIMIT} characters. The full title is at the start of the notes."
        ));
    }
    if body.chars().count() > BODY_LIMIT {
        body = cut(&body, BODY_LIMIT);
        labels.shortened.push(long_notes());
    }
    let is_note = is_note(entry, source);
    let draft = Draft {
        kind: Some(if is_note { Kind::Note } else { Kind::Link }),
        title,
        url: (!is_note).then(|| entry.href.clone()),
        body,
        tags: labels.tags,
        visibility: visibility(entry, source.is_own(), choices.visibility),
        ..entry.flags.clone()
    };
    (draft, labels.shortened)
}

/// Notes of programs such as Shaarli stand at addresses of its own site.
pub(super) fn is_note(entry: &Entry, source: &Source<'_>) -> bool {
    entry.is_note || source.has_local_notes() && is_relative(&entry.href)
}

fn is_relative(href: &str) -> bool {
    (href.starts_with(['/', '?']) && !href.starts_with("//"))
        || href.starts_with("./")
        || href.starts_with("../")
}

/// Never more than was chosen, nor than the file says.
fn visibility(entry: &Entry, is_own: bool, chosen: Visibility) -> Visibility {
    let in_file = match (entry.visibility, entry.private) {
        (Some(visibility), _) if is_own => visibility,
        (_, Some(true)) => Visibility::Private,
        _ => chosen,
    };
    narrower(in_file, chosen)
}

pub(super) struct Merged {
    pub added: Vec<String>,
    pub left_out: Vec<String>,
    /// Whether the notes of both are longer than notes may be.
    pub is_cut: bool,
}

/// The tags, notes and flags of both, and who may see both.
pub(super) fn merge(first: &mut Draft, twin: Draft) -> Merged {
    let known: Vec<String> = first.tags.iter().map(|name| tag::fold(name)).collect();
    let mut added: Vec<String> =
        twin.tags.into_iter().filter(|name| !known.contains(&tag::fold(name))).collect();
    let room = tag::MAX_TAGS.saturating_sub(first.tags.len());
    let left_out = added.split_off(room.min(added.len()));
    first.tags.extend(added.iter().cloned());
    let is_cut = add_notes(&mut first.body, &twin.body);
    first.pinned |= twin.pinned;
    first.unread |= twin.unread;
    first.visibility = narrower(first.visibility, twin.visibility);
    Merged { added, left_out, is_cut }
}

/// Below those that are there, unless they say it already. Whether something is cut off.
fn add_notes(notes: &mut String, more: &str) -> bool {
    if notes.contains(more) {
        return false;
    }
    if !notes.is_empty() {
        notes.push_str("\n\n");
    }
    notes.push_str(more);
    let is_long = notes.chars().count() > BODY_LIMIT;
    if is_long {
        *notes = cut(notes, BODY_LIMIT);
    }
    is_long
}

/// A sentence on notes for which there is no room.
pub(super) fn long_notes() -> String {
    format!("Its notes are longer than {BODY_LIMIT} characters. The rest was cut off.")
}

fn narrower(one: Visibility, other: Visibility) -> Visibility {
    [Visibility::Private, Visibility::Members]
        .into_iter()
        .find(|visibility| *visibility == one || *visibility == other)
        .unwrap_or(Visibility::Public)
}

fn cut(text: &str, limit: usize) -> String {
    text.chars().take(limit - 1).chain(['…']).collect()
}
