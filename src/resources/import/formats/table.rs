//! Tables (CSV): rows of saved pages under a line of names.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use csv::{Reader, ReaderBuilder, StringRecord};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::record::Record;
use super::{Entries, FileError, Found, field_names};
use crate::named::named;
use crate::resources::import::entry::Entry;

const DELIMITERS: [u8; 3] = *b"\t;,";
/// Rows in which addresses are looked for where no column has a known name.
const LOOKED_AT: usize = 5;
const EXAMPLE: usize = 60;

named! {
    /// What a column of a table holds.
    #[derive(PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
    #[serde(rename_all = "lowercase")]
    #[schema(as = ColumnRole)]
    pub enum Role {
        Address = "address",
        Title = "title",
        Notes = "notes",
        Tags = "tags",
        Folder = "folder",
        Date = "date",
    }
}

impl Role {
    /// As the preview names it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Address => "Address",
            Self::Title => "Title",
            Self::Notes => "Notes",
            Self::Tags => "Tags",
            Self::Folder => "Folder",
            Self::Date => "Date",
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportColumn)]
pub struct Column {
    /// As the first line names it.
    pub name: String,
    /// What the first row has there.
    pub example: String,
    /// What it is taken for; `null` for what its name says beyond these, or for nothing.
    pub role: Option<Role>,
}

/// How the rows of a text are read.
#[derive(Debug)]
pub struct Rows {
    delimiter: u8,
    /// The names under which a record finds what the columns hold.
    fields: Vec<String>,
}

/// `None` for a text that has no column of addresses. `chosen` are columns that a person has named.
pub fn parse<'a>(text: &str, chosen: &BTreeMap<Role, usize>) -> Option<Found<'a>> {
    let first = text.lines().next().filter(|line| !line.contains('<'))?;
    let delimiter = DELIMITERS.into_iter().find(|delimiter| delimits(*delimiter, first, text))?;
    let mut reader = reader(delimiter, text);
    let names = reader.headers().ok()?.clone();
    let rows: Vec<StringRecord> = reader.records().take(LOOKED_AT).collect::<Result<_, _>>().ok()?;
    let roles = roles(&names, &rows, chosen);
    let fields = names.iter().zip(&roles).map(|(name, role)| field(name, *role)).collect();
    let example = |place| {
        let cell = rows.first().and_then(|row| row.get(place)).unwrap_or_default();
        cell.chars().take(EXAMPLE).collect()
    };
    let columns = names.iter().enumerate().zip(roles);
    let columns = columns
        .map(|((place, name), role)| Column { name: name.to_owned(), example: example(place), role })
        .collect();
    Some(Found { columns, ..Found::new("a table (CSV)", Entries::Table(Rows { delimiter, fields })) })
}

/// # Errors
/// The column that a person has named and that is not there, or that has two roles. What is no table has no columns to name.
pub fn check(chosen: &BTreeMap<Role, usize>, columns: usize) -> Result<(), FileError> {
    for (role, place) in chosen.iter().filter(|_| columns > 0) {
        if *place >= columns {
            return Err(FileError::NoColumn { role: role.as_str(), place: *place, last: columns - 1 });
        }
        if let Some((other, _)) = chosen.iter().find(|(other, column)| *other > role && *column == place) {
            return Err(FileError::TwoRoles { one: role.as_str(), other: other.as_str() });
        }
    }
    Ok(())
}

fn reader(delimiter: u8, text: &str) -> Reader<&[u8]> {
    ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes())
}

impl Rows {
    pub fn each(&self, text: &str, take: &mut impl FnMut(Entry) -> ControlFlow<()>) -> ControlFlow<()> {
        let mut lines = Lines { text: text.as_bytes(), at: 0, line: 1 };
        let mut rows = reader(self.delimiter, text).into_records().flatten();
        rows.try_for_each(|row| {
            let values = row.iter().map(|text| Value::String(text.to_owned()));
            let record = Record::new(self.fields.iter().cloned().zip(values));
            record.entry(lines.line_of(&row)).map_or(ControlFlow::Continue(()), &mut *take)
        })
    }
}

/// Whether the text is a table of this delimiter: its first line names a column of addresses, or one has them.
fn delimits(delimiter: u8, first: &str, text: &str) -> bool {
    let reader = |text| {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(delimiter).flexible(true).has_headers(false).from_reader(text)
    };
    let names = reader(first.as_bytes()).into_records().flatten().next().unwrap_or_default();
    if names.iter().any(field_names::is_address) {
        return true;
    }
    let mut rows = reader(text.as_bytes()).into_records().flatten().skip(1).take(LOOKED_AT);
    names.len() > 1 && !names.iter().any(is_link) && rows.any(|row| row.iter().any(is_link))
}

fn is_link(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// What each column is: as a person chose, or else by its name, and the addresses also by what they are.
fn roles(names: &StringRecord, rows: &[StringRecord], chosen: &BTreeMap<Role, usize>) -> Vec<Option<Role>> {
    let mut roles: Vec<Option<Role>> = if chosen.is_empty() {
        names.iter().map(field_names::role).collect()
    } else {
        let role = |place| chosen.iter().find(|(_, column)| **column == place).map(|(role, _)| *role);
        (0..names.len()).map(role).collect()
    };
    if chosen.is_empty() && !roles.contains(&Some(Role::Address)) {
        let links =
            (0..names.len()).find(|place| rows.iter().any(|row| row.get(*place).is_some_and(is_link)));
        if let Some(place) = links {
            roles[place] = Some(Role::Address);
        }
    }
    roles
}

/// The name under which a record finds what a column holds.
fn field(name: &str, role: Option<Role>) -> String {
    match role {
        // Several columns may have one of these, by different names.
        Some(role) if field_names::role(name) == Some(role) => name.to_owned(),
        Some(role) => field_names::field_of(role).to_owned(),
        // A person has said that it is none of them.
        None if field_names::role(name).is_some() => String::new(),
        None => name.to_owned(),
    }
}

/// Counts lines up to a row; the reader's own number is that of the line break or blank line before it.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn line_of(&mut self, row: &StringRecord) -> u64 {
        let start =
            row.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(self.at);
        let between = self.text.get(self.at..start).unwrap_or_default();
        let blank =
            self.text.get(start..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_whitespace());
        let breaks = between.iter().chain(blank.clone()).filter(|byte| **byte == b'\n').count();
        (self.at, self.line) = (start + blank.count(), self.line + breaks as u64);
        self.line
    }
}
