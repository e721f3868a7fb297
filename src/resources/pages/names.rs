//! Names for the links and buttons of one page: entries with the same title need different names (WCAG 2.2, 2.4.4).

use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Known<'a> {
    pub title: &'a str,
    /// `None` for a note.
    pub host: Option<&'a str>,
    pub day: &'a str,
}

/// The quoted title, followed by host, day and position on the page as far as needed.
pub fn distinct(entries: &[Known]) -> Vec<String> {
    let mut names: Vec<String> = entries.iter().map(|entry| format!("“{}”", entry.title)).collect();
    tell_apart(&mut names, |place| entries[place].host.unwrap_or("a note").to_owned());
    tell_apart(&mut names, |place| entries[place].day.to_owned());
    tell_apart(&mut names, |place| format!("number {} here", place + 1));
    names
}

fn tell_apart(names: &mut [String], more: impl Fn(usize) -> String) {
    let mut times = BTreeMap::<&str, usize>::new();
    for name in &*names {
        *times.entry(name).or_default() += 1;
    }
    let repeated: Vec<bool> = names.iter().map(|name| times[name.as_str()] > 1).collect();
    for (place, name) in names.iter_mut().enumerate().filter(|(place, _)| repeated[*place]) {
        *name = format!("{name}, {}", more(place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_one_title_are_told_apart_by_as_little_as_will_do() {
        let known = |title, host, day| Known { title, host, day };
        let entries = [
            known("Tides", Some("a.example"), "1 May 2026"),
            known("Moon", Some("a.example"), "1 May 2026"),
            known("Tides", None, "1 May 2026"),
            known("Tides", Some("b.example"), "1 May 2026"),
            known("Tides", Some("b.example"), "2 May 2026"),
            known("", None, "1 May 2026"),
            known("", None, "1 May 2026"),
        ];
        assert_eq!(
            distinct(&entries),
            [
                "“Tides”, a.example",
                "“Moon”",
                "“Tides”, a note",
                "“Tides”, b.example, 1 May 2026",
                "“Tides”, b.example, 2 May 2026",
                "“”, a note, 1 May 2026, number 6 here",
                "“”, a note, 1 May 2026, number 7 here",
            ]
        );
    }
}
