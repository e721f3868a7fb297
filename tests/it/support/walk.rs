//! A machine on which the documents' own commands run as they stand: its folders are elsewhere, there is one user, and
//! `systemctl` starts and stops coffer itself.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;
use tempfile::TempDir;

use super::documents::under;
use super::server::{Server, free_port};
use super::wait::eventually;
use crate::startup::COFFER;

const LIMIT: Duration = Duration::from_mins(2);
/// What the documents name, and lies in the machine's own folder here.
const FOLDERS: [&str; 5] =
    ["/var/lib/coffer", "/var/backups/coffer", "/etc/coffer", "/etc/systemd/system", "/tmp/coffer-trial"];
const ENDED: &str = "the walk has ended";

/// Runs the command as the only user that there is.
const SUDO: &str = r#"#!/bin/sh
[ "$1" != -u ] || shift 2
exec "$@"
"#;

/// There is nobody else to whom files could belong.
const INSTALL: &str = r#"#!/bin/bash
arguments=()
while [ $# -gt 0 ]; do
    case $1 in -o | -g) shift ;; *) arguments+=("$1") ;; esac
    shift
done
exec /usr/bin/install "${arguments[@]}"
"#;

/// Starts what the unit would start, with its settings; waits until it is ready or gone, as `Type=notify` would.
const SYSTEMCTL: &str = r#"#!/bin/bash
set -e
case $1 in
daemon-reload) ;;
start | enable)
    cd ROOT/var/lib/coffer
    coffer --env-file ROOT/etc/coffer/coffer.env serve >>ROOT/coffer.log 2>&1 &
    echo $! >ROOT/coffer.pid
    for _ in {1..300}; do
        if coffer --env-file ROOT/etc/coffer/coffer.env healthcheck 2>/dev/null; then exit; fi
        sleep 0.1
    done
    cat ROOT/coffer.log
    exit 1
    ;;
stop)
    kill "$(cat ROOT/coffer.pid)"
    while kill -0 "$(cat ROOT/coffer.pid)" 2>/dev/null; do sleep 0.1; done
    ;;
restart)
    "$0" stop
    "$0" start
    ;;
esac
"#;

pub struct Machine {
    root: TempDir,
    port: u16,
    variables: Vec<(String, String)>,
    /// What the commands have started belongs to these.
    shells: Mutex<Vec<Server>>,
}

impl Machine {
    /// With these settings beside those of the package; the variables are for every command.
    pub fn new(settings: &[String], variables: &[(&str, String)]) -> Self {
        let root = tempfile::Builder::new().prefix("coffer-walk.").tempdir().expect("a folder");
        let machine = Self {
            port: free_port(),
            variables: variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            root,
            shells: Mutex::default(),
        };
        for folder in ["bin", "var/lib", "var/backups", "etc/coffer", "etc/systemd/system", "tmp"] {
            fs::create_dir_all(machine.path(folder)).expect("a folder");
        }
        machine.program("sudo", SUDO);
        machine.program("install", INSTALL);
        machine.program("systemctl", SYSTEMCTL);
        machine.program("useradd", "#!/bin/sh\n");
        symlink(COFFER, machine.path("bin/coffer")).expect("a link");
        machine.has_settings(settings);
        machine
    }

    /// The package's settings file, with these after it.
    pub fn has_settings(&self, settings: &[String]) {
        let packaged = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/coffer.env"));
        let own = [format!("COFFER_PORT={}", self.port), "COFFER_METRICS_ADDRESS=off".to_owned()];
        let lines: Vec<String> = own.iter().chain(settings).cloned().collect();
        let text = format!("{}\n{}\n", packaged.expect("packaging/coffer.env"), lines.join("\n"));
        fs::write(self.path("etc/coffer/coffer.env"), self.here(&text)).expect("the settings");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, text.replace("ROOT", &self.root.path().display().to_string())).expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }

    /// A text of the documents with this machine's folders in it.
    pub fn here(&self, text: &str) -> String {
        let root = self.root.path().display();
        FOLDERS.iter().fold(text.to_owned(), |text, folder| text.replace(folder, &format!("{root}{folder}")))
    }

    /// Runs the shell blocks under these headings of a page, one after the other, in one shell that ends at the first
    /// failure. What it printed.
    pub async fn follows(&self, file: &str, headings: &[&str]) -> String {
        let blocks: Vec<String> = headings.iter().flat_map(|heading| under(file, heading, "sh")).collect();
        self.runs(&blocks.join("\n")).await
    }

    /// Runs this as the documents' blocks are run.
    pub async fn runs(&self, script: &str) -> String {
        let path =
            format!("{}:/usr/sbin:{}", self.path("bin").display(), std::env::var("PATH").expect("a PATH"));
        let exports: Vec<String> =
            self.variables.iter().map(|(name, value)| format!("export {name}='{value}'\n")).collect();
        let exports = exports.concat();
        let text = format!(
            "trap 'echo \"{ENDED}: $?\"' EXIT\nset -euo pipefail\nexport PATH='{path}'\n{exports}cd '{}'\n{}",
            Path::new(env!("CARGO_MANIFEST_DIR")).display(),
            self.here(script)
        );
        fs::write(self.path("walk.sh"), text).expect("a script");
        let script = self.path("walk.sh").display().to_string();
        // The shell stays until the test ends, since what it has started belongs to it.
        let server = Server::new("walk", "KILL", &["sh", "-c", "bash \"$1\"; sleep 3600", "sh", &script]);
        let log = server.start(ENDED).await;
        let said = eventually(LIMIT, async || {
            let log = fs::read_to_string(server.folder().join("log")).unwrap_or_default();
            if log.contains(ENDED) { Ok(log) } else { Err(log) }
        });
        let said = said.await.unwrap_or_else(|log| panic!("it never ends: {log}"));
        assert!(log.is_ok() && said.contains(&format!("{ENDED}: 0")), "{said}");
        self.shells.lock().push(server);
        said
    }
}
