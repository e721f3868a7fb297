//! The program itself: how it starts, what it says when it can't, and how it ends.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use coffer::db::Db;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub use crate::support::COFFER;
use crate::support::postgres::{Database, fresh_database};
use crate::support::server::{Server, free_port};
use crate::support::wait::eventually;

pub const READY: &str = "coffer is at ";
const LIMIT: Duration = Duration::from_secs(30);
/// Stays behind coffer's back until it has ended, and writes down how.
const WITNESS: &str = "trap : TERM INT; \"$@\"; echo \"ended with $?\"";

/// An empty working directory with `data` as the data directory.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::Builder::new().prefix("coffer-start.").tempdir().expect("a folder"))
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Runs coffer to its end with these variables alone.
    pub fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        self.run_with_input(arguments, variables, "")
    }

    pub fn run_with_input(&self, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Output {
        let file = self.path("input");
        fs::write(&file, input).expect("a file");
        // The time limit is for a coffer that starts where it should refuse to.
        let limit = LIMIT.as_secs().to_string();
        Command::new("/usr/bin/timeout")
            .args(["--kill-after=1", &limit, COFFER])
            .args(arguments)
            .env_clear()
            .envs(variables.iter().copied())
            .current_dir(self.0.path())
            .stdin(fs::File::open(&file).map_or(Stdio::null(), Stdio::from))
            .output()
            .expect("coffer runs")
    }

    /// What coffer says when it refuses to do this.
    #[track_caller]
    pub fn refusal(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.run(arguments, variables);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && !said.contains("panicked"),
            "{arguments:?} {variables:?}: {said}"
        );
        said
    }

    #[track_caller]
    pub fn done(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        succeeded(&self.run(arguments, variables))
    }

    /// The effective configuration.
    #[track_caller]
    fn config(&self, arguments: &[&str], variables: &[(&str, &str)]) -> BTreeMap<String, String> {
        let printed = self.done(&[&["config"], arguments].concat(), variables);
        let settings = printed.lines().filter_map(|line| line.split_once('='));
        settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// A coffer that serves from here, with its address.
    pub async fn serves(&self, settings: &[&str]) -> (Server, String) {
        let data = format!("--data-dir={}", self.path("data"));
        let mut command = vec!["sh", "-c", WITNESS, "sh", "env", "-i", COFFER, "serve", &data];
        command.extend(settings);
        let server = Server::new("coffer", "KILL", &command);
        let log = server.start(READY).await.unwrap_or_else(|log| panic!("coffer doesn't start: {log}"));
        let (_, address) = log.split_once(READY).expect("the log says where");
        let address =
            address.split_whitespace().next().expect("an address").replace("http://localhost:", "127.0.0.1:");
        (server, address)
    }
}

#[track_caller]
pub fn succeeded(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn log(server: &Server) -> String {
    fs::read_to_string(server.folder().join("log")).expect("the log")
}

/// How coffer ended, as its witness saw it.
pub async fn ended(server: &Server) -> String {
    let said = eventually(LIMIT, async || {
        let log = log(server);
        let line = log.lines().find(|line| line.starts_with("ended with ")).map(str::to_owned);
        line.ok_or_else(|| format!("it still runs:\n{log}"))
    });
    said.await.unwrap_or_else(|error| panic!("{error}"))
}

pub async fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[test]
fn an_unknown_setting_is_refused_with_the_nearest() {
    let place = Place::new();
    for (name, sentence) in [
        ("COFFER_PROT", "COFFER_PROT is not a coffer setting. Did you mean COFFER_PORT?"),
        ("COFFER_DATABASE", "Did you mean COFFER_DATABASE_URL?"),
        ("COFFER_REDIS_URL_FIEL", "Did you mean COFFER_REDIS_URL_FILE?"),
        ("COFFER_port", "Did you mean COFFER_PORT?"),
        ("COFFER_SOMETHING_ELSE_ALTOGETHER", "`coffer serve --help` lists them all"),
    ] {
        for command in [vec![], vec!["serve"], vec!["migrate"], vec!["config"]] {
            let said = place.refusal(&command, &[(name, "x")]);
            assert!(said.contains(sentence), "{name}: {said}");
        }
    }
    assert!(!Path::new(&place.path("data")).exists(), "nothing was made");
}

#[test]
fn bad_values_are_refused_by_name() {
    let place = Place::new();
    for (name, value, sentence) in [
        ("COFFER_PORT", "http", "--port"),
        ("COFFER_PORT", "65536", "--port"),
        ("COFFER_HOST", "example.org", "--host"),
        ("COFFER_SIGNUP", "sometimes", "closed, invite, open"),
        ("COFFER_SESSION_IDLE_DAYS", "0", "1..=365"),
        ("COFFER_PASSWORD_MEMORY", "8", "19456..=1048576"),
        ("COFFER_PASSWORD_PASSES", "1", "2..=20"),
        ("COFFER_BASE_URL", "links", "--base-url"),
        ("COFFER_BASE_URL", "ftp://links.example.org", "the scheme must be http or https"),
        ("COFFER_BASE_URL", "https://links.example.org/?coffer", "it contains more than an address"),
        ("COFFER_DATABASE_URL", "mysql://me:hunter2@db/coffer", "is not a database address"),
        ("COFFER_DATABASE_URL", "hunter2", "is not a database address"),
        ("COFFER_REDIS_URL", "http://:hunter2@cache", "COFFER_REDIS_URL is not a Redis address"),
        ("COFFER_SECRET_KEY", "hunter2", "COFFER_SECRET_KEY must be 64 hex digits"),
        ("COFFER_LOG", "coffer=loud", "COFFER_LOG"),
        ("COFFER_LOG_FORMAT", "xml", "auto, json, pretty"),
    ] {
        let mut variables = vec![(name, value)];
        if name != "COFFER_PORT" {
            variables.push(("COFFER_PORT", "0"));
        }
        let said = place.refusal(&[], &variables);
        assert!(said.contains(sentence), "{name}={value}: {said}");
        assert!(!said.contains("hunter2"), "{name}: {said}");
    }
}

#[test]
fn a_database_that_cannot_be_reached_is_named_without_its_password() {
    let place = Place::new();
    let url = format!("postgres://ada:hunter2@127.0.0.1:{}/coffer", free_port());
    let said = place.refusal(&["migrate"], &[("COFFER_DATABASE_URL", &url)]);
    assert!(
        said.contains("Cannot open the database postgres://ada:***@127.0.0.1")
            && said.contains("Check that PostgreSQL is running"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("a bound port").port().to_string();
    let said = Place::new().refusal(&[], &[("COFFER_PORT", &port)]);
    assert!(
        said.contains(&format!("Cannot listen on 127.0.0.1:{port}")) && said.contains("set COFFER_PORT"),
        "{said}"
    );
}

#[test]
fn a_data_directory_that_cannot_be_is_named() {
    let place = Place::new();
    fs::write(place.path("file"), "").expect("a file");
    fs::create_dir_all(place.path("other/coffer.db.lock")).expect("a folder");
    fs::create_dir_all(place.path("keyed/secret.key")).expect("a folder");
    for (directory, sentence) in [
        (place.path("file"), "Cannot make the data directory"),
        (place.path("file/below"), "Cannot make the data directory"),
        ("/proc/coffer".to_owned(), "Cannot make the data directory"),
        (place.path("other"), "Make the directory writable"),
        (place.path("keyed"), "Cannot read"),
    ] {
        let said = place.refusal(&["seed", "--count=1"], &[("COFFER_DATA_DIR", &directory)]);
        assert!(said.contains(sentence) && said.contains(&directory), "{said}");
    }
}

#[test]
fn files_that_are_not_ours_are_left_alone() {
    let place = Place::new();
    fs::create_dir(place.path("data")).expect("a folder");
    fs::write(place.path("data/secret.key"), "not a key").expect("a file");
    let said = place.refusal(&["seed", "--count=1"], &[]);
    assert!(said.contains("secret.key does not contain 64 hex digits"), "{said}");
    fs::write(place.path("data/secret.key"), "ab".repeat(32)).expect("a file");
    fs::write(place.path("data/coffer.db"), "not a database ".repeat(500)).expect("a file");
    let said = place.refusal(&["seed", "--count=1"], &[]);
    assert!(said.contains("The file may be damaged or not a coffer database"), "{said}");
    assert!(
        fs::read_to_string(place.path("data/coffer.db")).is_ok_and(|text| text.starts_with("not a database"))
    );
}

#[test]
fn the_key_and_its_directory_are_for_the_owner_alone() {
    let place = Place::new();
    place.done(&["seed", "--count=1"], &[]);
    let mode = |name: &str| fs::metadata(place.path(name)).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode("data"), mode("data/secret.key")), (0o700, 0o600));
    let key = fs::read_to_string(place.path("data/secret.key")).expect("the key");
    assert_eq!(key.trim().len(), 64);
    place.done(&["seed", "--count=1"], &[]);
    assert_eq!(fs::read_to_string(place.path("data/secret.key")).ok(), Some(key), "made once");
}

#[test]
fn secrets_may_come_from_files() {
    let place = Place::new();
    let (file, empty) = (place.path("database"), place.path("absent"));
    fs::write(&file, format!("sqlite:{}\n", place.path("elsewhere.db"))).expect("a file");
    place.done(&["migrate"], &[("COFFER_DATABASE_URL_FILE", &file)]);
    assert!(Path::new(&place.path("elsewhere.db")).exists());
    let said = place.refusal(&["migrate"], &[("COFFER_DATABASE_URL_FILE", &empty)]);
    assert!(said.contains("COFFER_DATABASE_URL_FILE: cannot read"), "{said}");
    let both = [("COFFER_DATABASE_URL_FILE", file.as_str()), ("COFFER_DATABASE_URL", "sqlite:x.db")];
    let said = place.refusal(&["migrate"], &both);
    assert!(said.contains("Both COFFER_DATABASE_URL and COFFER_DATABASE_URL_FILE are set"), "{said}");
}

#[test]
fn borrowed_names_serve_where_ours_are_absent() {
    let place = Place::new();
    let database = place.path("borrowed.db");
    let config = place.config(&[], &[("PORT", "4001"), ("DATABASE_URL", "postgres://a:hunter2@b/c")]);
    assert_eq!(
        (config["COFFER_PORT"].as_str(), config["COFFER_DATABASE_URL"].as_str()),
        ("4001", "(set, hidden)")
    );
    let config = place.config(&[], &[("PORT", "4001"), ("COFFER_PORT", "4002")]);
    assert_eq!(config["COFFER_PORT"], "4002");
    let config = place.config(&["--port=4003"], &[("PORT", "4001"), ("COFFER_PORT", "4002")]);
    assert_eq!(config["COFFER_PORT"], "4003");
    place.done(&["migrate"], &[("DATABASE_URL", &format!("sqlite:{database}"))]);
    assert!(Path::new(&database).exists());
}

#[test]
fn the_configuration_is_printed_whole_and_secrets_are_not() {
    let place = Place::new();
    let secrets = [
        ("COFFER_DATABASE_URL", "postgres://ada:hunter2@db/coffer".to_owned()),
        ("COFFER_REDIS_URL", "redis://:hunter3@cache".to_owned()),
        ("COFFER_SECRET_KEY", "ab".repeat(32)),
    ];
    let variables: Vec<_> = secrets.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let config = place.config(&[], &variables);
    for (name, _) in &secrets {
        assert_eq!(config[*name], "(set, hidden)");
    }
    let bare = place.config(&[], &[]);
    assert_eq!(
        (bare["COFFER_DATABASE_URL"].as_str(), bare["COFFER_REDIS_URL"].as_str()),
        ("sqlite:data/coffer.db", "(not set)")
    );
    let help = place.done(&["serve", "--help"], &variables);
    assert!(!help.contains("hunter") && !help.contains("abab"), "{help}");
    for name in bare.keys() {
        assert!(help.contains(name.as_str()), "{name} is in the manual");
    }
}

#[test]
fn a_file_of_settings_is_read_where_coffer_starts() {
    let place = Place::new();
    fs::write(place.path(".env"), "COFFER_PORT=4004\nCOFFER_SIGNUP=open\n").expect("a file");
    let config = place.config(&[], &[("COFFER_SIGNUP", "closed")]);
    assert_eq!((config["COFFER_PORT"].as_str(), config["COFFER_SIGNUP"].as_str()), ("4004", "closed"));
    fs::write(place.path(".env"), "COFFER_PROT=4004\n").expect("a file");
    assert!(place.refusal(&["config"], &[]).contains("Did you mean COFFER_PORT?"));
    fs::write(place.path(".env"), "this is \"no file of settings\n").expect("a file");
    assert!(place.refusal(&["config"], &[]).contains(".env"));
}

#[test]
fn accounts_are_made_and_listed_at_the_terminal() {
    let place = Place::new();
    let create = ["user", "create", "--username=ada", "--email=ada@example.org", "--role=admin"];
    let said = succeeded(&place.run_with_input(&create, &[], "correct horse battery\n"));
    assert!(said.contains("Created ada as admin."), "{said}");
    let again = place.run_with_input(&create, &[], "correct horse battery\n");
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && said.contains("email: An account with this email"), "{said}");
    let short = place.run_with_input(
        &["user", "create", "--username=eve", "--email=eve@example.org"],
        &[],
        "short\n",
    );
    assert!(String::from_utf8_lossy(&short.stderr).contains("password: Use at least 12 characters"));
    assert_eq!(place.done(&["user", "list"], &[]), "ada\tadmin\tada@example.org\n");
}

#[test]
fn accounts_are_changed_at_the_terminal() {
    let place = Place::new();
    for (name, role) in [("ada", "admin"), ("bob", "member")] {
        let (username, email) = (format!("--username={name}"), format!("--email={name}@example.org"));
        let create = ["user", "create", &username, &email, &format!("--role={role}")];
        succeeded(&place.run_with_input(&create, &[], "correct horse battery\n"));
    }
    for command in [vec!["disable", "ada"], vec!["role", "ada", "member"]] {
        let command = [vec!["user"], command].concat();
        assert!(place.refusal(&command, &[]).contains("last administrator"), "{command:?}");
    }
    assert_eq!(place.done(&["user", "role", "bob@example.org", "admin"], &[]), "bob is now admin.\n");
    assert!(place.done(&["user", "disable", "ada"], &[]).contains("ada is now disabled"));
    assert!(place.done(&["user", "list"], &[]).contains("ada\tadmin\tada@example.org\tdisabled\n"));
    assert!(
        place.refusal(&["user", "reset-link", "ada"], &[]).contains("Enable it before you create a link")
    );
    assert!(place.done(&["user", "enable", "ada"], &[]).contains("ada can log in again"));
    let link = place.done(&["user", "reset-link", "ada"], &[]);
    assert!(link.starts_with("http://localhost:3000/password/reset/") && link.trim().len() == 80, "{link}");
    assert!(place.refusal(&["user", "disable", "nobody"], &[]).contains("`coffer user list`"));
}

#[tokio::test]
async fn the_audit_trail_is_verified_at_the_terminal() {
    let place = Place::new();
    assert!(place.refusal(&["audit", "verify"], &[]).contains("There is no library in"));
    for name in ["ada", "bob", "carol"] {
        let (username, email) = (format!("--username={name}"), format!("--email={name}@example.org"));
        let create = ["user", "create", &username, &email];
        succeeded(&place.run_with_input(&create, &[], "correct horse battery\n"));
    }
    assert!(place.done(&["audit", "verify"], &[]).contains("intact: 3 events"));
    let db = Db::open(&format!("sqlite:{}", place.path("data/coffer.db")), 1).await.expect("the database");
    let Db::Sqlite { write, .. } = &db else { panic!("an SQLite file") };
    sqlx::query("DROP TRIGGER audit_events_no_delete").execute(write.executor()).await.expect("no trigger");
    sqlx::query("DELETE FROM audit_events WHERE seq = 2")
        .execute(write.executor())
        .await
        .expect("an event less");
    db.close().await;
    drop(db);
    let said = place.run(&["audit", "verify"], &[]);
    assert_eq!(said.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&said.stderr).contains("event 2 was removed"), "{said:?}");
}

#[test]
fn a_library_is_seeded_for_trying() {
    let place = Place::new();
    let said = place.done(&["seed", "--count=25"], &[]);
    assert!(said.contains("Added 25 resources to demo's library."), "{said}");
    assert!(place.done(&["user", "list"], &[]).starts_with("demo\tmember"));
}

#[test]
fn help_and_version_need_nothing() {
    let place = Place::new();
    assert!(place.done(&["--help"], &[]).contains("A self-hosted library"));
    assert!(place.done(&["--version"], &[]).contains(env!("CARGO_PKG_VERSION")));
    assert!(place.refusal(&["frobnicate"], &[]).contains("frobnicate"));
    assert!(!Path::new(&place.path("data")).exists());
}

#[tokio::test]
async fn a_file_is_for_one_process() {
    let place = Place::new();
    let (_server, address) = place.serves(&["--port=0"]).await;
    let said = place.refusal(&["migrate"], &[]);
    assert!(said.contains("Another coffer is running on") && said.contains("coffer.db"), "{said}");
    assert!(get(&address, "/readyz").await.expect("an answer").starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_file_is_free_again_however_its_process_ended() {
    let place = Place::new();
    let (server, _) = place.serves(&["--port=0"]).await;
    assert!(server.send("KILL"));
    let free = eventually(LIMIT, async || {
        let output = place.run(&["migrate"], &[]);
        output.status.success().then_some(()).ok_or(String::from_utf8_lossy(&output.stderr).into_owned())
    });
    free.await.expect("the lock ends with the process");
}

#[tokio::test]
async fn the_first_start_prints_a_link_that_works_and_later_ones_print_none() {
    let place = Place::new();
    let (server, address) = place.serves(&["--port=0"]).await;
    let link = eventually(LIMIT, async || {
        let said = log(&server);
        let link = said.split_whitespace().find(|word| word.contains("/setup/")).map(str::to_owned);
        link.filter(|_| said.contains("within 30 minutes")).ok_or(said)
    });
    let link = link.await.expect("a link");
    let path = &link[link.find("/setup/").expect("it is there")..];
    assert!(get(&address, path).await.expect("an answer").contains("Welcome to coffer"));
    server.end();
    let create = ["user", "create", "--username=ada", "--email=ada@example.org"];
    succeeded(&place.run_with_input(&create, &[], "correct horse battery\n"));
    let (server, address) = place.serves(&["--port=0"]).await;
    assert!(!log(&server).contains("/setup/"), "{}", log(&server));
    assert!(get(&address, path).await.expect("an answer").starts_with("HTTP/1.1 410"));
}

/// A form whose body is still on its way, and the connection it is on.
pub async fn in_flight(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("coffer listens");
    let head = format!(
        "POST /login HTTP/1.1\r\nHost: {address}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 20\r\nExpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("coffer reads");
    let mut told = [0; 25];
    stream.read_exact(&mut told).await.expect("coffer waits for the body");
    assert!(told.starts_with(b"HTTP/1.1 100 Continue"));
    stream
}

#[tokio::test]
async fn a_request_in_flight_is_answered_before_the_end() {
    for signal in ["TERM", "INT"] {
        let place = Place::new();
        let (server, address) = place.serves(&["--port=0"]).await;
        let mut stream = in_flight(&address).await;
        assert!(server.send(signal));
        let refused = eventually(LIMIT, async || match TcpStream::connect(&address).await {
            Ok(_) => Err("it still listens"),
            Err(_) => Ok(()),
        });
        refused.await.expect("nobody new is let in");
        stream.write_all(b"login=ada&password=x").await.expect("coffer reads on");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(
            answer.starts_with("HTTP/1.1 422") && answer.contains("Wrong username or password"),
            "{answer}"
        );
        assert_eq!(ended(&server).await, "ended with 0", "{signal}");
    }
}

#[tokio::test]
async fn a_client_that_stalls_does_not_hold_up_the_end() {
    let place = Place::new();
    let (server, address) = place.serves(&["--port=0", "--stop-timeout=1"]).await;
    let stalled = in_flight(&address).await;
    let idle = TcpStream::connect(&address).await.expect("coffer listens");
    let told = Instant::now();
    assert!(server.send("TERM"));
    assert_eq!(ended(&server).await, "ended with 0");
    assert!(told.elapsed() < Duration::from_secs(6), "{:?}", told.elapsed());
    drop((stalled, idle));
}

#[tokio::test]
async fn health_is_asked_without_curl() {
    let place = Place::new();
    let port = format!("--port={}", free_port());
    let said = place.refusal(&["healthcheck", &port], &[]);
    assert!(said.contains("No answer from 127.0.0.1:"), "{said}");
    let (server, _) = place.serves(&[&port]).await;
    place.done(&["healthcheck", &port], &[]);
    place.done(&["healthcheck", &port, "--host=0.0.0.0"], &[]);
    assert!(server.send("STOP"));
    let said = place.refusal(&["healthcheck", &port], &[]);
    assert!(said.contains("within 3 seconds"), "{said}");
}

#[tokio::test]
async fn logs_are_json_lines_and_name_the_request() {
    let place = Place::new();
    let (server, address) = place.serves(&["--port=0"]).await;
    let answer =
        get(&address, "/resources/0198c0de-0000-7000-8000-000000000000?q=secret").await.expect("an answer");
    let id =
        answer.lines().find_map(|line| line.strip_prefix("x-request-id: ")).expect("a request id").to_owned();
    let line = eventually(LIMIT, async || {
        log(&server).lines().find(|line| line.contains(&id)).map(str::to_owned).ok_or("no line")
    });
    let line: serde_json::Value = serde_json::from_str(&line.await.expect("a line")).expect("JSON");
    assert_eq!(
        (&line["event"], &line["route"], &line["status"]),
        (&"request".into(), &"/resources/{id}".into(), &404.into())
    );
    assert!(!log(&server).contains("secret"), "what people look for is not logged");
}

#[tokio::test]
async fn two_processes_may_make_the_schema_at_once() {
    let database = postgres().await;
    let pool = sqlx::PgPool::connect(database.url()).await.expect("PostgreSQL");
    sqlx::query("DROP SCHEMA public CASCADE").execute(&pool).await.expect("it is ours");
    sqlx::query("CREATE SCHEMA public").execute(&pool).await.expect("it is ours");
    pool.close().await;
    let places = [Place::new(), Place::new(), Place::new()];
    let started = places.each_ref().map(|place| {
        Command::new(COFFER)
            .args(["migrate", "--database-url", database.url()])
            .env_clear()
            .current_dir(place.0.path())
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("coffer starts")
    });
    for child in started {
        let output = child.wait_with_output().expect("coffer ends");
        assert!(succeeded(&output).contains("up to date"));
    }
}

#[test]
fn a_library_is_exported_at_the_terminal() {
    let place = Place::new();
    place.done(&["seed", "--count=25"], &[]);
    let library: serde_json::Value = serde_json::from_str(&place.done(&["export"], &[])).expect("JSON");
    assert_eq!(library["resources"].as_array().map(Vec::len), Some(25));
    let file = place.path("out.html");
    place.done(&["export", &file, "--format=html"], &[]);
    let mode = fs::metadata(&file).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(fs::read_to_string(&file).expect("text").starts_with("<!DOCTYPE NETSCAPE-Bookmark-file-1>"));
    assert!(place.refusal(&["export", &file], &[]).contains("does not exist yet"));
}

#[test]
fn a_terminal_shows_how_much_of_an_export_is_written() {
    let place = Place::new();
    place.done(&["seed", "--count=25"], &[]);
    let in_a_terminal = format!("{COFFER} export out.json");
    let output = Command::new("/usr/bin/script")
        .args(["--quiet", "--return", "--command", &in_a_terminal, "/dev/null"])
        .env_clear()
        .env("TERM", "xterm")
        .current_dir(place.0.path())
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let shown = succeeded(&output);
    assert!(shown.contains("Writing ") && shown.contains("iB"), "{shown}");
}

#[test]
fn the_doctor_finds_a_healthy_place_healthy() {
    let place = Place::new();
    place.done(&["seed", "--count=1"], &[]);
    let said = place.done(&["doctor"], &[]);
    assert!(!said.contains("FAIL") && said.contains("sqlite answers"), "{said}");
}

#[test]
fn the_doctor_names_what_is_wrong_and_the_cure() {
    let place = Place::new();
    place.done(&["seed", "--count=1"], &[]);
    let key = format!("{}/secret.key", place.path("data"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("a mode");
    let dead = format!("redis://127.0.0.1:{}", free_port());
    let output = place
        .run(&["doctor"], &[("COFFER_REDIS_URL", &dead), ("COFFER_BASE_URL", "http://links.example.org")]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("FAIL  data") && said.contains("chmod 600"), "{said}");
    assert!(said.contains("FAIL  redis") && said.contains("COFFER_REDIS_URL"), "{said}");
    assert!(said.contains("warn  cookies") && said.contains("https"), "{said}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("2 checks failed."));
}

#[test]
fn the_doctor_looks_at_mail_and_proxies() {
    let place = Place::new();
    place.done(&["seed", "--count=1"], &[]);
    let said = place.done(&["doctor"], &[]);
    assert!(said.contains("ok    mail") && said.contains("emails are written to"), "{said}");
    assert!(said.contains("ok    visitors"), "{said}");
    let dead = format!("smtp://127.0.0.1:{}", free_port());
    let behind = "https://links.example.org";
    let output = place.run(&["doctor"], &[("COFFER_SMTP_URL", &dead), ("COFFER_BASE_URL", behind)]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("FAIL  mail") && said.contains("COFFER_SMTP_URL"), "{said}");
    assert!(said.contains("warn  visitors") && said.contains("COFFER_TRUSTED_PROXIES"), "{said}");
    let output = place.run(&["doctor"], &[("COFFER_TRUSTED_PROXIES", "10.0.0.0/8, 0.0.0.0/0")]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("FAIL  visitors") && said.contains("0.0.0.0/0"), "{said}");
}

async fn postgres() -> Database {
    fresh_database(async |url: &str| Db::open(url, 2).await.expect("the schema is made").close().await).await
}

#[tokio::test]
async fn the_doctor_looks_at_postgres_and_its_clock() {
    let (place, database) = (Place::new(), postgres().await);
    let said = place.done(&["doctor"], &[("COFFER_DATABASE_URL", database.url())]);
    assert!(said.contains("ok    database  postgres answers") && said.contains("ok    clock"), "{said}");
}

#[tokio::test]
async fn the_doctor_leaves_a_running_coffer_alone() {
    let place = Place::new();
    let (_server, _) = place.serves(&[]).await;
    assert!(place.done(&["doctor"], &[]).contains("its schema is up to date"));
}
