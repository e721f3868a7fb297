//! Prepares the environment for clap: `.env`, blank settings, secrets from files, aliases, unknown names.

mod dotenv;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Command;

use crate::config::ALIASES;

/// Variables by name, without blank ones and those that Kubernetes sets for a Service named like coffer.
#[derive(Debug, Default)]
pub struct Variables {
    process: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    /// Variables of the process that clap must not see.
    withheld: BTreeSet<String>,
}

impl Variables {
    /// The process comes first, then the file of `--env-file`, or else `.env` in the working directory.
    pub fn load(arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let file = match env_file(arguments) {
            Some(path) if path.is_file() => path,
            Some(path) => return Err(format!("--env-file: there is no file {}.", path.display())),
            None => PathBuf::from(".env"),
        };
        // A setting is UTF-8.
        let process = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Ok(Self::new(process, dotenv::read(&file)?))
    }

    pub fn new(process: BTreeMap<String, String>, mut file: BTreeMap<String, String>) -> Self {
        let is_set = |name: &str, value: &str| !is_blank(value) && !is_service_link(name, value);
        let (process, withheld): (BTreeMap<_, _>, BTreeMap<_, _>) =
            process.into_iter().partition(|(name, value)| is_set(name, value));
        file.retain(|name, value| is_set(name, value));
        Self { process, file, withheld: withheld.into_keys().collect() }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.process.get(name).or_else(|| self.file.get(name)).map(String::as_str)
    }

    /// The command without the variables that count as unset.
    pub fn withhold(&self, command: Command) -> Command {
        let unset = |argument: clap::Arg| match argument.get_env().and_then(std::ffi::OsStr::to_str) {
            Some(name) if self.withheld.contains(name) => argument.env(None::<&'static str>),
            _ => argument,
        };
        command.mut_args(unset).mut_subcommands(|command| self.withhold(command))
    }

    /// Refuses an unknown `COFFER_` name and suggests the nearest one.
    pub fn check_names(&self, command: &Command) -> Result<(), String> {
        let known = known_names(command);
        let names: BTreeSet<&String> = self.process.keys().chain(self.file.keys()).collect();
        let unknown: Vec<String> = names
            .into_iter()
            .filter(|name| name.starts_with("COFFER_") && !known.contains(name))
            .map(|name| match nearest(name, &known) {
                Some(near) => format!("{name} is not a coffer setting. Did you mean {near}?"),
                None => format!("{name} is not a coffer setting. `coffer serve --help` lists them all."),
            })
            .collect();
        if unknown.is_empty() { Ok(()) } else { Err(unknown.join("\n")) }
    }

    /// Arguments for what clap does not read by itself: `.env`, secrets from files, and aliases.
    pub fn arguments(&self, command: &Command) -> Result<Vec<OsString>, String> {
        let names: BTreeSet<&str> = settings(command).collect();
        let from_file = self
            .file
            .iter()
            .filter(|(name, _)| names.contains(name.as_str()) && !self.process.contains_key(*name));
        let mut arguments: Vec<OsString> = from_file.map(|(name, value)| argument(name, value)).collect();
        for name in secrets(command) {
            arguments.extend(self.secret(name)?.map(|secret| argument(name, &secret)));
        }
        for (borrowed, ours) in ALIASES {
            let absent = self.get(ours).is_none() && self.get(&format!("{ours}_FILE")).is_none();
            arguments.extend(self.get(borrowed).filter(|_| absent).map(|value| argument(ours, value)));
        }
        Ok(arguments)
    }

    fn secret(&self, name: &str) -> Result<Option<String>, String> {
        let file_name = format!("{name}_FILE");
        let Some(path) = self.get(&file_name) else { return Ok(None) };
        if self.get(name).is_some() {
            return Err(format!("Both {name} and {file_name} are set. Keep one of them."));
        }
        let secret = std::fs::read_to_string(path).map_err(|e| {
            format!("{file_name}: cannot read {path}: {e}. Check the path and its permissions.")
        })?;
        if is_blank(&secret) {
            return Err(format!(
                "{file_name}: {path} is empty. Write the secret into it, or remove the setting."
            ));
        }
        Ok(Some(secret.trim().to_owned()))
    }
}

/// It is read before the command line is parsed.
fn env_file(mut arguments: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--env-file") => return arguments.next().map(PathBuf::from),
            Some(text) => {
                if let Some(path) = text.strip_prefix("--env-file=") {
                    return Some(path.into());
                }
            }
            None => {}
        }
    }
    None
}

/// The command line without options that have a blank value.
pub fn without_blank(arguments: Vec<OsString>, command: &Command) -> Vec<OsString> {
    let flags: BTreeSet<String> = settings(command).map(flag).collect();
    let mut kept: Vec<OsString> = Vec::with_capacity(arguments.len());
    let mut is_over = false;
    for argument in arguments {
        let text = argument.to_string_lossy();
        is_over |= text == "--";
        let is_blank_value = !is_over
            && match text.split_once('=') {
                Some((name, value)) => flags.contains(name) && is_blank(value),
                None => {
                    is_blank(&text)
                        && kept.last().is_some_and(|last| flags.contains(&*last.to_string_lossy()))
                }
            };
        if !is_blank_value {
            kept.push(argument);
        } else if !text.contains('=') {
            kept.pop();
        }
    }
    kept
}

fn is_blank(value: &str) -> bool {
    value.trim().is_empty()
}

/// Whether Kubernetes sets it for a Service named like coffer (kubernetes.io, Services, "Environment variables").
fn is_service_link(name: &str, value: &str) -> bool {
    let words: Vec<&str> = name.split('_').collect();
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_address = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    words[0] == "COFFER"
        && (1..words.len()).any(|at| match &words[at..] {
            ["SERVICE", "HOST"] | ["SERVICE", "PORT", ..] => true,
            ["PORT", number, "TCP" | "UDP" | "SCTP"]
            | ["PORT", number, "TCP" | "UDP" | "SCTP", "PROTO" | "PORT" | "ADDR"] => is_number(number),
            ["PORT"] => is_address,
            _ => false,
        })
}

fn argument(name: &str, value: &str) -> OsString {
    format!("{}={value}", flag(name)).into()
}

fn flag(name: &str) -> String {
    format!("--{}", name.trim_start_matches("COFFER_").to_lowercase().replace('_', "-"))
}

fn settings(command: &Command) -> impl Iterator<Item = &str> {
    command.get_arguments().filter_map(|argument| argument.get_env()?.to_str())
}

/// `_FILE` after the name of a secret names a file that holds it.
fn secrets(command: &Command) -> impl Iterator<Item = &str> {
    let secret = command.get_arguments().filter(|argument| argument.is_hide_env_values_set());
    secret.filter_map(|argument| argument.get_env()?.to_str())
}

fn known_names(command: &Command) -> Vec<String> {
    let mut names: Vec<String> = settings(command).map(str::to_owned).collect();
    names.extend(secrets(command).map(|name| format!("{name}_FILE")));
    // For the test suite; a developer may have it set.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_kubernetes_sets_are_known() {
        for (name, value) in [
            ("COFFER_PORT", "tcp://10.43.0.10:3000"),
            ("COFFER_PORT", "udp://10.43.0.10:53"),
            ("COFFER_SERVICE_HOST", "10.43.0.10"),
            ("COFFER_SERVICE_PORT", "3000"),
            ("COFFER_SERVICE_PORT_HTTP_METRICS", "3000"),
            ("COFFER_PORT_3000_TCP", "tcp://10.43.0.10:3000"),
            ("COFFER_PORT_3000_UDP_PROTO", "udp"),
            ("COFFER_PORT_3000_SCTP_ADDR", "10.43.0.10"),
            ("COFFER_WEB_SERVICE_HOST", "10.43.0.10"),
            ("COFFER_METRICS_PORT", "tcp://10.43.0.10:9464"),
            ("COFFER_METRICS_PORT_9464_TCP_PORT", "9464"),
        ] {
            assert!(is_service_link(name, value), "{name}={value}");
        }
        for (name, value) in [
            ("COFFER_PORT", "3000"),
            ("COFFER_PORT", "http://10.43.0.10"),
            ("COFFER_PORTS", "tcp://10.43.0.10:3000"),
            ("COFFER_PORT_X_TCP", "1"),
            ("COFFER_SERVICE", "x"),
            ("OTHER_SERVICE_HOST", "10.43.0.10"),
            ("COFFER_REDIS_URL", "tcp://10.43.0.10:6379"),
        ] {
            assert!(!is_service_link(name, value), "{name}={value}");
        }
    }

    #[test]
    fn the_process_goes_before_the_file_and_blank_is_unset() {
        let named = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let process = named(&[("A", "1"), ("B", " "), ("COFFER_PORT", "tcp://1.2.3.4:5")]);
        let file = named(&[("A", "2"), ("B", "3"), ("C", ""), ("COFFER_PORT", "4000")]);
        let variables = Variables::new(process, file);
        let got = ["A", "B", "C", "COFFER_PORT"].map(|name| variables.get(name));
        assert_eq!(got, [Some("1"), Some("3"), None, Some("4000")]);
    }
}
