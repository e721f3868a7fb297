//! Configuration that the documents and the package bring for other programs, judged by these programs.

use std::process::Command;

use crate::startup::{COFFER, Place};
use crate::support::documents::{blocks, pages, under};

/// systemd's own judgement: 0 is the safest, 10 the least safe.
#[test]
fn the_service_is_hardened() {
    let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/coffer.service");
    let mut analyze = Command::new("systemd-analyze");
    let output = analyze.args(["security", "--offline=true", "--no-pager", "--threshold=15", unit]).output();
    let output = output.expect("bin/setup installs systemd-analyze");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Alertmanager's own judgement of a configuration.
pub fn alertmanager_takes(file: &str) {
    let output = Command::new("amtool").args(["check-config", file]).output();
    let output = output.expect("bin/setup installs amtool");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
}

#[test]
fn alertmanager_takes_its_configuration() {
    let place = Place::new();
    let snippet = under("production", "Alerts", "yaml").pop().expect("a snippet");
    std::fs::write(place.path("alertmanager.yml"), snippet).expect("a file");
    alertmanager_takes(&place.path("alertmanager.yml"));
}

/// Files that a block holds, each after a comment with its path.
fn files(block: &str) -> Vec<(&str, &str)> {
    let files = block.split("# /").skip(1).filter_map(|file| file.split_once('\n'));
    files.map(|(path, text)| (path.rsplit('/').next().expect("a name"), text)).collect()
}

#[test]
fn systemd_takes_the_timer() {
    let place = Place::new();
    let block = under("production", "The audit trail kept elsewhere", "ini").concat();
    let units = files(&block);
    for (name, text) in &units {
        std::fs::write(place.path(name), text.replace("/usr/bin/coffer", COFFER)).expect("a unit");
    }
    let paths: Vec<String> = units.iter().map(|(name, _)| place.path(name)).collect();
    let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&paths).output();
    let output = output.expect("bin/setup installs systemd-analyze");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("coffer"), "{said}");
    assert_eq!(paths.len(), 2);
}

#[test]
fn the_service_starts_with_the_packaged_settings() {
    let place = Place::new();
    let settings = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/coffer.env");
    let printed = place.done(&["--env-file", settings, "config"], &[]);
    assert!(printed.contains("COFFER_DATA_DIR=/var/lib/coffer"), "{printed}");
    let said = place.refusal(&["config", "--env-file=missing.env"], &[]);
    assert!(said.contains("there is no file missing.env"), "{said}");
}

/// Every block of settings is one that coffer takes.
#[test]
fn settings_are_known() {
    let place = Place::new();
    let file = place.path("settings.env");
    let mut tried = 0;
    for block in pages().iter().flat_map(|page| blocks(page)).filter(|block| block.language == "dotenv") {
        // Whose files are read at once; `tls` tries them.
        let code = block.code.split_inclusive('\n').filter(|line| !line.starts_with("COFFER_TLS_"));
        let code: String = code.collect();
        std::fs::write(&file, &code).expect("a file");
        let names = code.lines().filter_map(|line| line.split_once('='));
        let printed = place.done(&["--env-file", &file, "config"], &[]);
        for (name, _) in names {
            assert!(printed.contains(&format!("{name}=")), "{name} of {:?} in {printed}", block.heading);
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried}");
}

#[test]
fn this_version_has_its_notes_in_the_changelog() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/bin/release-notes");
    let notes = |version| Command::new(script).arg(version).output().expect("bash runs the script");
    let told = notes(concat!("v", env!("CARGO_PKG_VERSION")));
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    assert!(String::from_utf8_lossy(&told.stdout).contains("\n### Added\n"));
    assert!(!notes("v0.0.0").status.success(), "no version without notes");
}
