//! The manual page, the completions for shells, and docs/settings.md.

use std::fmt::Write as _;
use std::io;

use clap_complete::Shell;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::{is_setting, whole};

/// What all nodes of one installation must agree on: they would refuse each other's sessions, or answer differently.
const ALIKE: [&str; 24] = [
    "COFFER_BASE_URL",
    "COFFER_CHECK_LINKS",
    "COFFER_CORS_ORIGINS",
    "COFFER_DATABASE_URL",
    "COFFER_FETCH",
    "COFFER_FETCH_ALLOW",
    "COFFER_HSTS_SUBDOMAINS",
    "COFFER_IMPORT_LIMIT",
    "COFFER_MAIL_FROM",
    "COFFER_PASSWORD_MEMORY",
    "COFFER_PASSWORD_PASSES",
    "COFFER_PROXY_HEADER",
    "COFFER_REDIS_URL",
    "COFFER_REQUIRE_2FA",
    "COFFER_SECRET_KEY",
    "COFFER_SESSION_IDLE_DAYS",
    "COFFER_SESSION_MAX_DAYS",
    "COFFER_SIGNUP",
    "COFFER_SMTP_CA_FILE",
    "COFFER_SMTP_URL",
    "COFFER_STAY_DAYS",
    "COFFER_TRUSTED_PROXIES",
    "COFFER_ENVIRONMENT",
    "COFFER_LOKI_URL",
];
const LIMITS: &str = "COFFER_RATE_LIMIT_";

const SETTINGS: &str = "Every setting is an environment variable, and an option before or after the command. \
                        `coffer serve --help` lists them all, and `coffer config` prints those in force.";
const FILES: &str = "The service reads /etc/coffer/coffer.env and keeps its data in /var/lib/coffer. \
                     Elsewhere settings are in .env of the working directory, and the data is in its directory data.";

const ABOUT: &str = "# Settings

Every setting is an environment variable and an option of the same name: `COFFER_BASE_URL` is `--base-url`. Options go
before variables, and variables before `.env` in the working directory. `coffer config` prints what is in force, and
`coffer doctor` says what is wrong with it. An unknown `COFFER_` name stops the start and suggests the nearest one.

Secrets may come from files: `COFFER_SECRET_KEY_FILE=/run/secrets/key` holds what `COFFER_SECRET_KEY` would. The settings
marked *file* take this. `DATABASE_URL`, `REDIS_URL` and `PORT` are honoured where the `COFFER_` name is absent.

Settings marked *alike* must be the same on every node.

This page is printed by the program (`coffer settings`); a test compares the two.
";

pub fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut whole(), "coffer", &mut script);
    text(&script)
}

pub fn page() -> Result<String, String> {
    let mut page = Vec::new();
    write_page(&mut page).map_err(|e| format!("Cannot print the page: {e}."))?;
    Ok(text(&page))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn write_page(out: &mut dyn io::Write) -> io::Result<()> {
    let (command, mut rest) = (whole(), Roff::new());
    rest.control("SH", ["COMMANDS"]);
    describe(&command, &mut rest);
    for (heading, text) in [("SETTINGS", SETTINGS), ("FILES", FILES)] {
        rest.control("SH", [heading]).text([roman(text)]);
    }
    let man = clap_mangen::Man::new(command);
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_options_section(out)?;
    rest.to_writer(out)
}

/// Only commands that do something.
fn describe(command: &clap::Command, page: &mut Roff) {
    let of_coffer = |command: &&clap::Command| !command.is_hide_set() && command.get_name() != "help";
    for command in command.get_subcommands().filter(of_coffer) {
        if command.has_subcommands() {
            describe(command, page);
            continue;
        }
        let usage = command.clone().render_usage().to_string();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        page.control("TP", []).text([bold(usage.trim_start_matches("Usage: "))]).text([roman(about)]);
        let own = |argument: &&clap::Arg| {
            !is_setting(argument) && !["help", "env-file"].contains(&argument.get_id().as_str())
        };
        for argument in command.get_arguments().filter(own) {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            page.control("RS", []).control("TP", []).text([bold(argument.to_string())]);
            page.text([roman(help)]).control("RE", []);
        }
    }
}

/// By heading, in the order of `coffer serve --help`.
#[must_use]
pub fn settings() -> String {
    let command = whole();
    let mut page = ABOUT.to_owned();
    let mut headings: Vec<&str> = Vec::new();
    for heading in command.get_arguments().filter_map(clap::Arg::get_help_heading) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        let _ = write!(page, "\n## {heading}\n\n| setting | default | what it does |\n|---|---|---|\n");
        let of_heading = |argument: &&clap::Arg| argument.get_help_heading() == Some(heading);
        command.get_arguments().filter(of_heading).filter_map(row).for_each(|row| page.push_str(&row));
    }
    page
}

fn row(argument: &clap::Arg) -> Option<String> {
    let name = argument.get_env().filter(|_| is_setting(argument))?.to_str()?;
    let help = argument.get_long_help().or(argument.get_help())?.to_string();
    let (help, told) = match help.rsplit_once("[default: ") {
        Some((help, default)) => (help.trim_end(), Some(default.trim_end_matches(']').to_owned())),
        None => (help.as_str(), None),
    };
    let defaults: Vec<_> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let default = told.or_else(|| (!defaults.is_empty()).then(|| format!("`{}`", defaults.join(","))));
    let mut what = help.split_whitespace().collect::<Vec<_>>().join(" ");
    if !what.ends_with('.') {
        what.push('.');
    }
    let values: Vec<_> =
        argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if values.len() > 1 && !argument.is_hide_possible_values_set() {
        let _ = write!(what, " One of {}.", values.join(", "));
    }
    let is_alike = ALIKE.contains(&name) || name.starts_with(LIMITS);
    let marks = [("file", argument.is_hide_env_values_set()), ("alike", is_alike)];
    for (mark, _) in marks.into_iter().filter(|(_, holds)| *holds) {
        let _ = write!(what, " *{mark}*");
    }
    Some(format!(
        "| `{name}` | {} | {} |\n",
        default.unwrap_or_else(|| "none".to_owned()),
        what.replace('|', "\\|")
    ))
}
