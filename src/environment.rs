//! The environment before clap sees it: `_FILE` secrets, borrowed names, and names that nobody knows.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::Command;

use crate::config::{ALIASES, SECRETS};

pub type Variables = BTreeMap<String, String>;

/// The process's variables; one that is not UTF-8 can't be a setting of ours.
#[must_use]
pub fn variables() -> Variables {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Refuses a `COFFER_` name that no option has, and names the nearest one.
///
/// # Errors
/// One sentence per unknown name.
pub fn check_names(command: &Command, variables: &Variables) -> Result<(), String> {
    let known = known_names(command);
    let unknown: Vec<String> = variables
        .keys()
        .filter(|name| name.starts_with("COFFER_") && !known.contains(name))
        .map(|name| match nearest(name, &known) {
            Some(near) => format!("{name} is not a setting of coffer. Did you mean {near}?"),
            None => format!("{name} is not a setting of coffer. `coffer serve --help` lists them all."),
        })
        .collect();
    if unknown.is_empty() { Ok(()) } else { Err(unknown.join("\n")) }
}

/// Arguments for what clap does not read by itself: secrets from files, and borrowed names.
///
/// # Errors
/// A sentence when a secret's file can't be read.
pub fn extra_arguments(variables: &Variables) -> Result<Vec<OsString>, String> {
    let mut arguments = Vec::new();
    for name in SECRETS {
        let file_name = format!("{name}_FILE");
        if let Some(path) = variables.get(&file_name) {
            if variables.contains_key(name) {
                return Err(format!("Both {name} and {file_name} are set. Keep one of them."));
            }
            let secret = std::fs::read_to_string(path).map_err(|e| {
                format!("{file_name}: cannot read {path}: {e}. Check the path and its permissions.")
            })?;
            arguments.push(argument(name, secret.trim()));
        }
    }
    for (borrowed, ours) in ALIASES {
        let absent = !variables.contains_key(ours) && !variables.contains_key(&format!("{ours}_FILE"));
        if let Some(value) = variables.get(borrowed).filter(|value| absent && !value.is_empty()) {
            arguments.push(argument(ours, value));
        }
    }
    Ok(arguments)
}

fn argument(name: &str, value: &str) -> OsString {
    let flag = name.trim_start_matches("COFFER_").to_lowercase().replace('_', "-");
    format!("--{flag}={value}").into()
}

fn known_names(command: &Command) -> Vec<String> {
    let mut names: Vec<String> = std::iter::once(command)
        .chain(command.get_subcommands())
        .flat_map(Command::get_arguments)
        .filter_map(|argument| Some(argument.get_env()?.to_str()?.to_owned()))
        .collect();
    names.extend(SECRETS.iter().map(|name| format!("{name}_FILE")));
    // Read by the test suite alone; it may stand in the environment of a developer.
    names.push("COFFER_TEST_LONG".to_owned());
    names
}

fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    let name = name.to_uppercase();
    known
        .iter()
        .map(|k| (strsim::damerau_levenshtein(&name, k), k))
        .min()
        .filter(|(far, _)| *far <= 6)
        .map(|(_, k)| k)
}
