//! What became of each link of a file.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::formats::Column;
use super::plan::{Addition, Plan, ThrownAway};
use super::reading::Overview;
use super::{Ready, Slice, Twin, tag_count};
use crate::named::named;
use crate::resources::Visibility;
use crate::timestamp::Timestamp;

/// Lines that a report keeps of each kind; it counts them all.
const REPORTED: usize = 500;
/// Entries that a preview shows.
const SHOWN: usize = 20;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = ImportReport)]
pub struct Report {
    /// The name of the file.
    pub file_name: String,
    /// What the file is.
    pub format: String,
    /// The encoding, where some characters could not be read in it.
    pub charset: Option<String>,
    /// Characters that could not be read.
    pub unreadable: usize,
    /// Entries that are new.
    pub new: usize,
    /// Those of them that go into the trash, where they were.
    pub new_in_trash: usize,
    /// Links whose address was kept already, or stands in the file more than once.
    pub duplicate: usize,
    /// Those of them that gave an entry tags which it did not have.
    pub merged: usize,
    /// Links that came in, but not whole.
    pub shortened: usize,
    /// Lines that could not be used.
    pub refused: usize,
    /// Links that are in the trash, and stay there.
    pub in_trash: usize,
    /// The first 500 of those in the trash.
    pub thrown_away: Vec<Duplicate>,
    /// The first 500.
    pub duplicates: Vec<Duplicate>,
    /// The first 500.
    pub shortenings: Vec<Shortening>,
    /// The first 500.
    pub refusals: Vec<Refusal>,
    /// The first 20 entries of the file, as they come in.
    pub rows: Vec<Row>,
    /// Tags that a preview would make.
    pub new_tag_count: usize,
    /// The first 500 of them.
    pub new_tags: Vec<String>,
    /// The columns of a table, and what each is taken for.
    pub columns: Vec<Column>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportDuplicate)]
pub struct Duplicate {
    pub line: u64,
    pub title: String,
    /// The resource that holds the address.
    pub existing: Option<Uuid>,
    /// The tags that it got from this link.
    pub added: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportShortening)]
pub struct Shortening {
    pub line: u64,
    pub title: String,
    /// A message.
    pub what: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportRefusal)]
pub struct Refusal {
    pub line: u64,
    /// A sentence that says why.
    pub reason: String,
    /// The title or the address, as the file has it.
    pub text: String,
    /// The address, as the file has it; empty for an entry without one.
    #[serde(default)]
    pub address: String,
}

/// One of the first entries of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportRow)]
pub struct Row {
    pub line: u64,
    pub title: String,
    /// `null` for a note.
    pub url: Option<String>,
    pub tags: Vec<String>,
    pub visibility: Visibility,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// What becomes of it.
    pub fate: Fate,
}

named! {
    /// What becomes of an entry.
    #[derive(Serialize, Deserialize, ToSchema)]
    #[serde(rename_all = "snake_case")]
    #[schema(as = ImportFate)]
    pub enum Fate {
        New = "new",
        /// Only its tags come in.
        Known = "known",
        InTrash = "in_trash",
    }
}

impl Fate {
    fn of_new(ready: &Ready) -> Self {
        if ready.is_trashed { Self::InTrash } else { Self::New }
    }
}

impl Report {
    /// Of a file that was not read yet.
    pub(super) fn of_file(name: &str) -> Self {
        let file_name = name.chars().filter(|c| !c.is_control()).take(200).collect();
        Self { file_name, ..Self::default() }
    }

    pub(super) fn describe(&mut self, overview: &Overview) {
        overview.format.clone_into(&mut self.format);
        self.unreadable = overview.unreadable;
        self.charset = (overview.unreadable > 0).then(|| overview.charset.to_owned());
        self.columns.clone_from(&overview.columns);
    }

    /// What the file is, without what becomes of its entries.
    pub(super) fn emptied(self) -> Self {
        let Self { file_name, format, charset, unreadable, columns, .. } = self;
        Self { file_name, format, charset, unreadable, columns, ..Self::default() }
    }

    /// Takes in what a plan has done, or would do.
    pub(super) fn take(&mut self, plan: &Plan<'_>) {
        self.new += plan.new.len();
        self.new_in_trash += plan.new.iter().filter(|ready| ready.is_trashed).count();
        self.show(plan);
        for ready in &plan.new {
            self.tell_twins(ready, ready.id, true);
        }
        for addition in &plan.known {
            let Addition { ready, holder, added, left_out, .. } = addition;
            let added = added.iter().map(|tag| tag.name.clone()).collect();
            self.add_duplicate(Duplicate { added, ..Duplicate::new(ready, holder.id) });
            // Its tags came to the holder with those of the first.
            self.tell_twins(ready, holder.id, false);
            let no_room = (!left_out.is_empty()).then(|| tag_count(left_out));
            for what in no_room.into_iter().chain(addition.loss()) {
                self.add_shortening(Shortening {
                    line: ready.line,
                    title: ready.checked.title.clone(),
                    what,
                });
            }
        }
        for ThrownAway { ready, id } in &plan.thrown_away {
            self.add_thrown_away(Duplicate::new(ready, *id));
            for twin in &ready.twins {
                self.add_thrown_away(Duplicate::of_twin(twin, *id));
            }
        }
    }

    /// Takes in what is said of a slice before it is planned.
    pub(super) fn take_slice(&mut self, slice: &mut Slice) {
        for refusal in slice.refusals.drain(..) {
            self.refused += 1;
            keep(&mut self.refusals, refusal);
        }
        for shortening in slice.shortenings.drain(..) {
            self.add_shortening(shortening);
        }
    }

    /// By the lines of the file.
    pub(super) fn sort(&mut self) {
        self.thrown_away.sort_by_key(|one| one.line);
        self.duplicates.sort_by_key(|one| one.line);
        self.shortenings.sort_by_key(|one| one.line);
        self.refusals.sort_by_key(|one| one.line);
    }

    fn tell_twins(&mut self, ready: &Ready, holder: Uuid, bring_tags: bool) {
        for twin in &ready.twins {
            let added = if bring_tags { twin.added.clone() } else { Vec::new() };
            self.add_duplicate(Duplicate { added, ..Duplicate::of_twin(twin, holder) });
        }
    }

    fn add_duplicate(&mut self, duplicate: Duplicate) {
        self.duplicate += 1;
        self.merged += usize::from(!duplicate.added.is_empty());
        keep(&mut self.duplicates, duplicate);
    }

    fn add_thrown_away(&mut self, link: Duplicate) {
        self.in_trash += 1;
        keep(&mut self.thrown_away, link);
    }

    fn add_shortening(&mut self, shortening: Shortening) {
        self.shortened += 1;
        keep(&mut self.shortenings, shortening);
    }

    /// The first entries of the file.
    fn show(&mut self, plan: &Plan<'_>) {
        if self.rows.len() >= SHOWN {
            return;
        }
        self.rows.extend(plan.new.iter().map(|ready| Row::new(ready, Fate::of_new(ready))));
        self.rows.extend(plan.known.iter().map(|one| Row::new(one.ready, Fate::Known)));
        self.rows.extend(plan.thrown_away.iter().map(|one| Row::new(one.ready, Fate::InTrash)));
        self.rows.sort_by_key(|row| row.line);
        self.rows.truncate(SHOWN);
    }
}

fn keep<T>(list: &mut Vec<T>, item: T) {
    if list.len() < REPORTED {
        list.push(item);
    }
}

impl Row {
    fn new(ready: &Ready, fate: Fate) -> Self {
        Self {
            line: ready.line,
            title: ready.checked.title.clone(),
            url: ready.checked.url.as_ref().map(|url| url.url.clone()),
            tags: ready.checked.tags.iter().map(|tag| tag.name.clone()).collect(),
            visibility: ready.checked.visibility,
            created_at: ready.created,
            fate,
        }
    }
}

impl Duplicate {
    fn new(ready: &Ready, existing: Uuid) -> Self {
        let title = ready.checked.title.clone();
        Self { line: ready.line, title, existing: Some(existing), added: Vec::new() }
    }

    fn of_twin(twin: &Twin, existing: Uuid) -> Self {
        Self { line: twin.line, title: twin.title.clone(), existing: Some(existing), added: Vec::new() }
    }
}
