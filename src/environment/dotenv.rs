//! Reads `./.env`. A `$` stays a `$`: substitution by dotenvy would change passwords.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

/// Stand for `$` and `\$` while dotenvy reads; noncharacters of Unicode, which no text contains.
const DOLLAR: &str = "\u{FDD0}";
const ESCAPED_DOLLAR: &str = "\u{FDD1}";

/// The variables of a file; none if there is no file. The last of a name wins. The error repeats no value.
pub fn read(path: &Path) -> Result<BTreeMap<String, String>, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text).map_err(|sentence| format!("{}: {sentence}", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => {
            Err(format!("{}: {error}. Give this user permission to read it, as UTF-8 text.", path.display()))
        }
    }
}

fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    let text = text.trim_start_matches('\u{FEFF}').replace("\\$", ESCAPED_DOLLAR).replace('$', DOLLAR);
    let mut variables = BTreeMap::new();
    let mut place = "the first setting".to_owned();
    for variable in dotenvy::from_read_iter(text.as_bytes()) {
        // dotenvy's message repeats the line, which may hold a password.
        let (name, value) = variable.map_err(|_| {
            format!(
                "{place} can't be read. Use NAME=value, and put values with spaces, quotes or backslashes in single quotes."
            )
        })?;
        place = format!("the setting after {name}");
        variables.insert(name, value.replace(ESCAPED_DOLLAR, "\\$").replace(DOLLAR, "$"));
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> String {
        parse(line).unwrap_or_else(|error| panic!("{line}: {error}")).remove("A").unwrap()
    }

    #[test]
    fn a_dollar_is_a_dollar() {
        for (line, wanted) in [
            ("A=pa$$word#1", "pa$$word#1"),
            ("A=a$b@example.org", "a$b@example.org"),
            ("A=$HOME", "$HOME"),
            ("A=${HOME}/x", "${HOME}/x"),
            ("A=\"$HOME and ${A}\"", "$HOME and ${A}"),
            ("A='$HOME'", "$HOME"),
            ("A='pa\\$$word'", "pa\\$$word"),
            ("A=pa\\$word", "pa\\$word"),
            ("A=$", "$"),
            ("B=1\nA=$B", "$B"),
        ] {
            assert_eq!(value(line), wanted, "{line}");
        }
    }

    #[test]
    fn lines_are_read_as_elsewhere() {
        for (line, wanted) in [
            ("\u{FEFF}A=1", "1"),
            ("export A=1", "1"),
            ("A=1\nA=2", "2"),
            ("# don't\nA=1 # what for", "1"),
            ("A='two words'\r\n", "two words"),
            ("A=\"two \\\"words\\\"\"", "two \"words\""),
            ("A=", ""),
        ] {
            assert_eq!(value(line), wanted, "{line}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_found_and_not_repeated() {
        for value in ["hunter2 hunter3", "\"hunter2", "hun\\ter2"] {
            let said = parse(&format!("COFFER_PORT=1\nCOFFER_SMTP_URL={value}")).unwrap_err();
            assert!(said.contains("the setting after COFFER_PORT") && !said.contains("hun"), "{said}");
        }
    }
}
