//! Tables (CSV): rows of saved pages under a line of names.

use csv::{ReaderBuilder, StringRecord};
use serde_json::Value;

use super::Found;
use super::record::{Record, is_address};

/// `None` for a text whose first line names no column of addresses.
pub fn read(text: &str) -> Option<Found> {
    let text = text.trim_start_matches('\u{FEFF}');
    let first = text.lines().next().filter(|line| !line.contains('<'))?;
    let delimiter = [b'\t', b';', b','].into_iter().find(|delimiter| has_addresses(first, *delimiter))?;
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let names = reader.headers().ok()?.clone();
    let rows = reader.records().collect::<Result<Vec<_>, _>>().ok()?;
    let mut lines = Lines { text: text.as_bytes(), at: 0, line: 1 };
    let entries = rows.iter().filter_map(|row| record(&names, row).entry(lines.line_of(row))).collect();
    Some(Found { entries, is_own: false })
}

fn has_addresses(first: &str, delimiter: u8) -> bool {
    let names = ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(first.as_bytes());
    names.into_records().flatten().any(|names| names.iter().any(is_address))
}

fn record(names: &StringRecord, row: &StringRecord) -> Record {
    let fields = names.iter().zip(row);
    Record::new(fields.map(|(name, text)| (name.to_owned(), Value::String(text.to_owned()))))
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
