//! A machine on which the documents' own commands run as they stand: its folders are elsewhere, there is one user, and
//! `systemctl` starts and stops coffer itself.

mod programs;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;
use tempfile::TempDir;

use self::programs::{CREATEUSER, INSTALL, SUDO, SYSTEMCTL};
use super::app::PASSWORD;
use super::documents::under;
use super::server::{Server, free_port};
use super::wait::eventually;
use crate::support::COFFER;

const LIMIT: Duration = Duration::from_mins(2);
/// What the documents name, and lies in the machine's own folder here.
const FOLDERS: [&str; 6] = [
    "/var/lib/coffer", "/var/backups/coffer", "/etc/coffer", "/etc/systemd/system", "/tmp/coffer-trial",
    "/usr/bin/coffer",
];
const ENDED: &str = "the walk has ended";

pub struct Machine {
    root: TempDir,
    port: u16,
    metrics_port: u16,
    /// What the documents name, and what it is called here.
    names: Vec<Name>,
    variables: Vec<(String, String)>,
    /// The sections whose commands were run, as `page#heading`.
    followed: Mutex<BTreeSet<String>>,
    /// What the commands have started belongs to these.
    shells: Mutex<Vec<Server>>,
}

/// Such as `links.example.org`, and where that is in a test.
#[derive(Clone, Debug)]
pub struct Name {
    pub written: &'static str,
    pub here: String,
}

impl Machine {
    /// Nothing is installed; commands run in the folder to which a release unpacks. The variables are for every command.
    pub fn bare(names: &[Name], variables: &[(&str, String)]) -> Self {
        let root = tempfile::Builder::new().prefix("coffer-walk.").tempdir().expect("a folder");
        let machine = Self {
            port: free_port(),
            metrics_port: free_port(),
            names: names.to_vec(),
            variables: variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            root,
            followed: Mutex::default(),
            shells: Mutex::default(),
        };
        for folder in ["bin", "release", "var/lib", "var/backups", "etc/systemd/system", "tmp", "usr/bin"] {
            fs::create_dir_all(machine.path(folder)).expect("a folder");
        }
        machine.program("sudo", SUDO);
        machine.program("install", INSTALL);
        machine.program("systemctl", SYSTEMCTL);
        machine.program("createuser", CREATEUSER);
        machine.program("useradd", "#!/bin/sh\n");
        machine.has_release();
        machine
    }

    fn has_release(&self) {
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        symlink(COFFER, self.path("release/coffer")).expect("a link");
        symlink(project.join("observability"), self.path("release/observability")).expect("a link");
        fs::create_dir(self.path("release/packaging")).expect("a folder");
        for file in ["packaging/coffer.env", "packaging/coffer.service"] {
            let text = fs::read_to_string(project.join(file)).expect("a file");
            fs::write(self.path("release").join(file), self.here(&text)).expect("a copy");
        }
    }

    /// coffer is installed, with these settings after those of the package.
    pub fn new(settings: &[String], variables: &[(&str, String)]) -> Self {
        let machine = Self::bare(&[], variables);
        symlink(COFFER, machine.path("usr/bin/coffer")).expect("a link");
        fs::create_dir(machine.path("etc/coffer")).expect("a folder");
        fs::copy(machine.path("release/packaging/coffer.env"), machine.path("etc/coffer/coffer.env"))
            .expect("the package's settings");
        machine.sets(&machine.own_settings());
        machine.sets(&settings.join("\n"));
        machine
    }

    /// What differs here from machine to machine, as all of them are one.
    pub fn own_settings(&self) -> String {
        format!("COFFER_PORT={}\nCOFFER_METRICS_ADDRESS=127.0.0.1:{}", self.port, self.metrics_port)
    }

    /// Adds lines to the settings of the service.
    pub fn sets(&self, lines: &str) {
        let path = self.path("etc/coffer/coffer.env");
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, format!("{before}\n{}\n", self.here(lines))).expect("the settings");
    }

    /// Adds the settings of the blocks under these headings.
    pub fn sets_as(&self, sections: &[&str]) {
        for section in sections {
            self.sets(&blocks(section, "dotenv").concat());
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn metrics_port(&self) -> u16 {
        self.metrics_port
    }

    /// The sections whose commands were run.
    pub fn followed(&self) -> BTreeSet<String> {
        self.followed.lock().clone()
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, text.replace("ROOT", &self.root.path().display().to_string())).expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }

    /// A text of the documents with what is here in place of what they name.
    pub fn here(&self, text: &str) -> String {
        let root = self.root.path().display();
        let text =
            self.names.iter().fold(text.to_owned(), |text, name| text.replace(name.written, &name.here));
        FOLDERS.iter().fold(text, |text, folder| text.replace(folder, &format!("{root}{folder}")))
    }

    /// Runs the shell blocks of these sections, such as `backup#Make a backup`, one after the other, in one shell that
    /// ends at the first failure. What it printed.
    pub async fn follows(&self, sections: &[&str]) -> String {
        let scripts: Vec<String> = sections.iter().flat_map(|section| blocks(section, "sh")).collect();
        let said = self.runs(&scripts.join("\n")).await;
        self.followed.lock().extend(sections.iter().map(ToString::to_string));
        said
    }

    /// Runs this as the documents' blocks are run. A command that asks for a password gets one.
    pub async fn runs(&self, script: &str) -> String {
        let own = ["bin", "usr/bin"].map(|folder| self.path(folder).display().to_string()).join(":");
        let path = format!("{own}:/usr/sbin:{}", std::env::var("PATH").expect("a PATH"));
        let exports: Vec<String> =
            self.variables.iter().map(|(name, value)| format!("export {name}='{value}'\n")).collect();
        let exports = exports.concat();
        let text = format!(
            "trap 'echo \"{ENDED}: $?\"' EXIT\nset -euo pipefail\nshopt -s expand_aliases\nexport PATH='{path}'\n{exports}cd '{}'\n{}",
            self.path("release").display(),
            self.here(script)
        );
        fs::write(self.path("walk.sh"), text).expect("a script");
        let script = self.path("walk.sh").display().to_string();
        // The shell stays until the test ends, since what it has started belongs to it.
        let answers = self.path("answers").display().to_string();
        fs::write(&answers, PASSWORD).expect("what is typed");
        let command = ["sh", "-c", "bash \"$1\" <\"$2\"; sleep 3600", "sh", &script, &answers];
        let server = Server::new("walk", "KILL", &command);
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

/// The blocks in this language of a section such as `backup#Make a backup`.
fn blocks(section: &str, language: &str) -> Vec<String> {
    let (page, heading) = section.split_once('#').expect("a page and a heading");
    under(page, heading, language)
}
