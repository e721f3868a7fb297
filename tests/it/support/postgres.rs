//! A private PostgreSQL for the whole test process, with a fresh database for each test; and one more for a
//! test that breaks it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::OnceCell;

use super::server::Server;

const READY: &str = "database system is ready to accept connections";

/// Runs in the server's folder, not as root, which PostgreSQL refuses. Arguments: both programs, the options.
const START: &str = r#"
initdb=$1 postgres=$2
shift 2
if [ "$(id -u)" = 0 ]; then
    chown postgres . && as_owner="setpriv --reuid=postgres --regid=postgres --clear-groups"
fi
[ -e data ] || $as_owner "$initdb" --no-sync --encoding=UTF8 --locale=C.UTF-8 \
    --username=postgres --auth=trust --pgdata=data || exit
exec $as_owner "$postgres" -D data "$@"
"#;

const OPTIONS: [&str; 5] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=300",
    "fsync=off",
    "full_page_writes=off",
];

/// A fresh copy of the database that `migrate` makes of an empty one, once in a test process. `migrate` gets
/// its URL and closes its connections before it returns.
pub async fn fresh_database(migrate: impl AsyncFnOnce(&str)) -> Database {
    static SHARED: OnceCell<PostgresServer> = OnceCell::const_new();
    let server = SHARED
        .get_or_init(async || {
            let server = PostgresServer::start().await;
            server.create("migrated", "template0");
            migrate(&server.url("migrated")).await;
            server
        })
        .await;
    server.database("migrated")
}

/// Dropped with its owner, even with open connections.
pub struct Database {
    url: String,
    drop: Command,
}

impl Database {
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn dump(&self, file: &Path) {
        let mut dump = Command::new(program("pg_dump"));
        succeeds(dump.args(["--format=custom", "--dbname", &self.url, "--file"]).arg(file));
    }

    /// Makes it what it was when it was dumped, while the nodes of this test run.
    pub async fn restore(&self, file: &Path) {
        let mut restore = Command::new(program("pg_restore"));
        restore.args(["--clean", "--if-exists", "--dbname", &self.url]).arg(file);
        tokio::task::spawn_blocking(move || succeeds(&mut restore)).await.expect("it comes back");
    }
}

fn succeeds(command: &mut Command) {
    let done = command.output().expect("PostgreSQL's programs are installed");
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = self.drop.output();
    }
}

pub struct PostgresServer {
    server: Server,
    port: u16,
}

impl PostgresServer {
    pub async fn start() -> Self {
        Self::with(&OPTIONS).await
    }

    pub async fn with(options: &[&str]) -> Self {
        let (server, port) = Server::on_free_port("postgres", "QUIT", READY, |port| {
            let [initdb, postgres] = ["initdb", "postgres"].map(|name| program(name).display().to_string());
            let command = ["sh", "-c", START, "sh", &initdb, &postgres, "-p", port];
            let options = options.iter().flat_map(|option| ["-c", option]);
            command.into_iter().chain(options).map(ToOwned::to_owned).collect()
        })
        .await;
        Self { server, port }
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Ends all work at once, as a crash would; what was committed is there after `restart`.
    pub fn stop(&self) {
        self.server.end();
    }

    /// It keeps its connections and says nothing until `thaw`.
    pub fn freeze(&self) {
        self.send_to_all("STOP");
    }

    pub fn thaw(&self) {
        self.send_to_all("CONT");
    }

    /// Its children too, each of which is a process group of its own.
    fn send_to_all(&self, signal: &str) {
        // A child may end meanwhile.
        for pid in self.processes() {
            let _ = Command::new("kill").args(["-s", signal, &pid]).status();
        }
    }

    /// Their numbers; the parent's first, so that none are added when it is stopped.
    pub fn processes(&self) -> Vec<String> {
        let read = |path: PathBuf| std::fs::read_to_string(path).expect("it runs");
        let file = read(self.server.folder().join("data/postmaster.pid"));
        let parent = file.lines().next().expect("its number");
        let children = read(format!("/proc/{parent}/task/{parent}/children").into());
        std::iter::once(parent).chain(children.split_whitespace()).map(str::to_owned).collect()
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub async fn restart(&self) {
        self.server.end();
        self.server.start(READY).await.unwrap_or_else(|log| panic!("postgres doesn't restart: {log}"));
    }

    /// A new database, a copy of `template`.
    pub fn database(&self, template: &str) -> Database {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.create(&name, template);
        let mut drop = self.tool("dropdb");
        drop.args(["--force", "--if-exists", &name]);
        Database { url: self.url(&name), drop }
    }

    fn create(&self, name: &str, template: &str) {
        let made =
            self.tool("createdb").args(["--template", template, name]).output().expect("createdb starts");
        assert!(made.status.success(), "createdb: {}", String::from_utf8_lossy(&made.stderr));
    }

    fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command.args(["--host=127.0.0.1", "--username=postgres", "--port", &self.port.to_string()]);
        command
    }
}

/// Debian keeps each version's programs in a folder of its own, off the PATH: the newest one's, else the PATH's. Those in
/// `TEST_POSTGRES` go before (tests/versions.sh).
fn program(name: &str) -> PathBuf {
    let wanted = std::env::var_os("TEST_POSTGRES").map(|folder| Path::new(&folder).join(name));
    if let Some(wanted) = wanted.filter(|program| program.exists()) {
        return wanted;
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = versions.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path().join("bin").join(name))).filter(|(_, program)| program.exists())
    });
    installed.max().map_or_else(|| name.into(), |(_, program)| program)
}
