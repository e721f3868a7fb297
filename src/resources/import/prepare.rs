//! The links of a file as entries that keep every rule, each address once.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::time::Duration;

use uuid::Uuid;

use super::labels::Labels;
use super::netscape::{Bookmarks, Entry};
use super::report::{Duplicate, Refusal, Shortening};
use super::{Ready, tag_count};
use crate::error::Error;
use crate::resources::draft::{BODY_LIMIT, Checked, TITLE_LIMIT};
use crate::resources::{Draft, Kind, Visibility, markdown, tag};
use crate::system::System;
use crate::timestamp::Timestamp;

/// Of an entry that lies in the trash of another coffer.
const WAS_TRASHED: &str = "It is in the trash of the library that it comes from.";

#[derive(Default)]
pub(super) struct Prepared {
    pub ready: Vec<Ready>,
    /// Repetitions within the file; `existing` is the id of the first in `ready`.
    pub duplicates: Vec<Duplicate>,
    pub shortenings: Vec<Shortening>,
    pub refusals: Vec<Refusal>,
}

pub(super) struct Preparation<'a> {
    pub context: &'a System,
    pub now: Timestamp,
    /// The most that others may see.
    pub visibility: Visibility,
}

/// What came in of one address so far.
struct Incoming {
    line: u64,
    id: Uuid,
    times: Times,
    draft: Draft,
    checked: Checked,
    /// Whether the draft changed since it was checked.
    is_stale: bool,
}

#[derive(Clone, Copy)]
struct Times {
    created: Timestamp,
    updated: Timestamp,
}

impl Preparation<'_> {
    pub fn prepare(&self, file: &Bookmarks) -> Prepared {
        let mut prepared = Prepared::default();
        let mut incoming: Vec<Incoming> = Vec::with_capacity(file.entries.len());
        let mut places: HashMap<String, usize> = HashMap::new();
        for (place, entry) in file.entries.iter().enumerate() {
            if entry.is_trashed {
                prepared.refusals.push(Refusal { reason: WAS_TRASHED.to_owned(), ..refusal(entry) });
                continue;
            }
            let (draft, shortened) = self.draft(entry, file);
            let checked = match draft.check_keeping(&draft.tags) {
                Ok(checked) => checked,
                Err(error) => {
                    prepared.refusals.push(Refusal { reason: reason(&error), ..refusal(entry) });
                    continue;
                }
            };
            let title = &checked.title;
            prepared.shortenings.extend(shortened.into_iter().map(|what| Shortening {
                line: entry.line,
                title: title.clone(),
                what,
            }));
            let next = incoming.len();
            match places.entry(identity(&checked)) {
                Slot::Occupied(first) => {
                    let first = &mut incoming[*first.get()];
                    let merged = merge(first, draft);
                    prepared.duplicates.push(Duplicate {
                        line: entry.line,
                        title: checked.title,
                        existing: Some(first.id),
                        added: merged.added,
                    });
                    if !merged.left_out.is_empty() {
                        let what = tag_count(&merged.left_out);
                        prepared.shortenings.push(Shortening {
                            line: entry.line,
                            title: first.checked.title.clone(),
                            what,
                        });
                    }
                }
                Slot::Vacant(slot) => {
                    slot.insert(next);
                    incoming.push(Incoming {
                        line: entry.line,
                        id: self.context.new_id(),
                        times: self.times(entry, place),
                        draft,
                        checked,
                        is_stale: false,
                    });
                }
            }
        }
        prepared.ready = incoming.into_iter().map(Incoming::ready).collect();
        prepared
    }

    fn draft(&self, entry: &Entry, file: &Bookmarks) -> (Draft, Vec<String>) {
        let mut labels = Labels::new(entry);
        let long = entry.title.chars().count() > TITLE_LIMIT;
        let title = if long { cut(&entry.title, TITLE_LIMIT) } else { entry.title.clone() };
        let whole_title = if long { entry.title.as_str() } else { "" };
        let texts = [
            markdown::from_plain(whole_title),
            markdown::from_plain(&entry.description),
            entry.notes.clone(),
        ];
        let mut body = texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n");
        if long {
            labels.shortened.push(format!(
                "Its title is longer than {TITLE_LIMIT} characters. The full title is at the start of the notes."
            ));
        }
        if body.chars().count() > BODY_LIMIT {
            body = cut(&body, BODY_LIMIT);
            labels
                .shortened
                .push(format!("Its notes are longer than {BODY_LIMIT} characters. The rest was cut off."));
        }
        // Notes of programs such as Shaarli stand at addresses of its own site.
        let is_note = entry.is_note || file.has_lists && is_relative(&entry.href);
        let draft = Draft {
            kind: Some(if is_note { Kind::Note } else { Kind::Link }),
            title,
            url: (!is_note).then(|| entry.href.clone()),
            body,
            tags: labels.tags,
            visibility: self.visibility(entry, file.is_own),
            pinned: entry.pinned,
            unread: entry.toread == Some(true),
            ..Draft::default()
        };
        (draft, labels.shortened)
    }

    /// Never more than was chosen, nor than the file says.
    fn visibility(&self, entry: &Entry, is_own: bool) -> Visibility {
        let in_file = match (entry.visibility, entry.private) {
            (Some(visibility), _) if is_own => visibility,
            (_, Some(true)) => Visibility::Private,
            _ => self.visibility,
        };
        narrower(in_file, self.visibility)
    }

    /// The file's own dates unless they lie ahead; links without one keep the file's order, the first being newest.
    fn times(&self, entry: &Entry, place: usize) -> Times {
        let known =
            |seconds: Option<i64>| seconds.and_then(Timestamp::from_seconds).filter(|at| *at <= self.now);
        let undated = || self.now.minus(Duration::from_micros(place as u64));
        let modified = known(entry.modified);
        let created = known(entry.added).or(modified).unwrap_or_else(undated);
        // When it changed here, so that clients that ask for changes find it.
        Times { created, updated: self.now }
    }
}

impl Incoming {
    fn ready(self) -> Ready {
        // Both parts have kept the rules.
        let again = self.is_stale.then(|| self.draft.check_keeping(&self.draft.tags).ok()).flatten();
        Ready {
            line: self.line,
            id: self.id,
            created: self.times.created,
            updated: self.times.updated,
            checked: again.unwrap_or(self.checked),
        }
    }
}

struct Merged {
    added: Vec<String>,
    left_out: Vec<String>,
}

/// The tags of both, the first description, and who may see both.
fn merge(first: &mut Incoming, twin: Draft) -> Merged {
    let known: Vec<String> = first.draft.tags.iter().map(|name| tag::fold(name)).collect();
    let mut added: Vec<String> =
        twin.tags.into_iter().filter(|name| !known.contains(&tag::fold(name))).collect();
    let room = tag::MAX_TAGS.saturating_sub(first.draft.tags.len());
    let left_out = added.split_off(room.min(added.len()));
    first.draft.tags.extend(added.iter().cloned());
    if first.draft.body.is_empty() {
        first.draft.body = twin.body;
    }
    first.draft.visibility = narrower(first.draft.visibility, twin.visibility);
    first.is_stale = true;
    Merged { added, left_out }
}

/// What makes two entries of a file one: the address, and of a note its words.
fn identity(checked: &Checked) -> String {
    match &checked.url {
        Some(url) => url.key.clone(),
        None => format!("note {}\n{}", checked.title, checked.body),
    }
}

fn is_relative(href: &str) -> bool {
    (href.starts_with(['/', '?']) && !href.starts_with("//"))
        || href.starts_with("./")
        || href.starts_with("../")
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

fn reason(error: &Error) -> String {
    match error {
        Error::Invalid(errors) => errors.iter().map(|(_, message)| message).collect::<Vec<_>>().join(" "),
        error => error.message().into_owned(),
    }
}

fn refusal(entry: &Entry) -> Refusal {
    let text = if entry.title.trim().is_empty() { &entry.href } else { &entry.title };
    Refusal { line: entry.line, reason: String::new(), text: text.chars().take(200).collect() }
}
