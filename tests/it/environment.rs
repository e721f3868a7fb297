//! Where settings come from: the process, `./.env`, flags; and what counts as none.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

use crate::installation::settings;
use crate::startup::{COFFER, Place, READY, log, succeeded};
use crate::support::server::{Server, free_port};

const EXAMPLE: &str = include_str!("../../.env.example");

/// What `coffer config` prints.
#[track_caller]
fn config(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let printed = place.done(&[&["config"], arguments].concat(), variables);
    let settings = printed.lines().filter_map(|line| line.split_once('='));
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn names_that_kubernetes_sets_for_a_service_named_coffer_are_none() {
    let place = Place::new();
    let links = [
        ("COFFER_PORT", "tcp://10.43.0.10:3000"),
        ("COFFER_SERVICE_HOST", "10.43.0.10"),
        ("COFFER_SERVICE_PORT", "3000"),
        ("COFFER_SERVICE_PORT_HTTP", "3000"),
        ("COFFER_PORT_3000_TCP", "tcp://10.43.0.10:3000"),
        ("COFFER_PORT_3000_TCP_PROTO", "tcp"),
        ("COFFER_PORT_3000_TCP_PORT", "3000"),
        ("COFFER_PORT_3000_TCP_ADDR", "10.43.0.10"),
        ("COFFER_REDIS_SERVICE_HOST", "10.43.0.11"),
        ("COFFER_REDIS_PORT_6379_TCP_ADDR", "10.43.0.11"),
    ];
    assert_eq!(config(&place, &[], &links)["COFFER_PORT"], "3000");
    let with_port = [&links[..], &[("PORT", "4005")]].concat();
    assert_eq!(config(&place, &[], &with_port)["COFFER_PORT"], "4005");
    assert_eq!(config(&place, &["--port=4006"], &links)["COFFER_PORT"], "4006");
    let said = place.run(&["config"], &[("COFFER_PORT", "http://10.43.0.10")]);
    assert!(!said.status.success(), "that is a mistake of a person");
}

#[test]
fn a_blank_setting_is_an_unset_one() {
    let place = Place::new();
    let bare = config(&place, &[], &[]);
    for blank in ["", " ", "\t"] {
        let variables: Vec<_> = bare.keys().map(|name| (name.as_str(), blank)).collect();
        assert_eq!(config(&place, &[], &variables), bare, "every setting, {blank:?}");
        let flags: Vec<String> = bare
            .keys()
            .map(|name| {
                format!("--{}={blank}", name.trim_start_matches("COFFER_").to_lowercase().replace('_', "-"))
            })
            .collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        assert_eq!(config(&place, &flags, &[]), bare, "every flag, {blank:?}");
        let files = [
            "COFFER_DATABASE_URL_FILE",
            "COFFER_LOKI_URL_FILE",
            "COFFER_METRICS_TOKEN_FILE",
            "COFFER_REDIS_URL_FILE",
            "COFFER_SECRET_KEY_FILE",
            "COFFER_SMTP_URL_FILE",
            "DATABASE_URL",
            "REDIS_URL",
            "PORT",
        ];
        assert_eq!(
            config(&place, &[], &files.map(|name| (name, blank))),
            bare,
            "every file and borrowed name"
        );
    }
    assert_eq!(config(&place, &["--redis-url", "", "--port", "4007"], &[])["COFFER_PORT"], "4007");
    assert_eq!(config(&place, &[], &[("COFFER_PORT", ""), ("PORT", "4008")])["COFFER_PORT"], "4008");
    fs::write(place.path("key"), format!("{}\n", "ab".repeat(32))).expect("a file");
    let key = [("COFFER_SECRET_KEY", ""), ("COFFER_SECRET_KEY_FILE", &*place.path("key"))];
    assert_eq!(config(&place, &[], &key)["COFFER_SECRET_KEY"], "(set, hidden)");
    fs::write(place.path(".env"), "COFFER_PORT=\nCOFFER_SIGNUP=open\nCOFFER_METRICS_TOKEN=''\n")
        .expect("a file");
    let read = config(&place, &[], &[("COFFER_SIGNUP", "")]);
    assert_eq!(
        (&*read["COFFER_PORT"], &*read["COFFER_SIGNUP"], &*read["COFFER_METRICS_TOKEN"]),
        ("3000", "open", "(not set)")
    );
}

#[test]
fn a_secrets_file_that_holds_nothing_is_refused() {
    let place = Place::new();
    fs::write(place.path("token"), "\n").expect("a file");
    let said = place.run(&["config"], &[("COFFER_METRICS_TOKEN_FILE", &*place.path("token"))]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("is empty"), "{said:?}");
}

#[test]
fn a_dollar_in_the_file_of_settings_is_a_dollar() {
    let place = Place::new();
    let file = "COFFER_MAIL_FROM=a$b@example.org\nCOFFER_ENVIRONMENT=pa$$word#1\nCOFFER_DATA_DIR=\"${HOME}/$PORT\"\n";
    fs::write(place.path(".env"), file).expect("a file");
    let read = config(&place, &[], &[("HOME", "/root"), ("PORT", "4009"), ("b", "x"), ("word", "y")]);
    assert_eq!(read["COFFER_MAIL_FROM"], "a$b@example.org");
    assert_eq!(read["COFFER_ENVIRONMENT"], "pa$$word#1");
    assert_eq!(read["COFFER_DATA_DIR"], "${HOME}/$PORT");
}

#[test]
fn the_file_of_settings_is_this_folders_alone() {
    let place = Place::new();
    fs::create_dir_all(place.path("coffer/data")).expect("folders");
    fs::write(
        place.path(".env"),
        "PORT=4999\nDATABASE_URL=postgres://other:pw@db/otherapp\nCOFFER_SIGNUP=open\n",
    )
    .expect("a file");
    let output = std::process::Command::new(COFFER)
        .arg("config")
        .env_clear()
        .current_dir(place.path("coffer/data"))
        .output()
        .expect("coffer runs");
    let said = succeeded(&output);
    assert!(said.contains("COFFER_PORT=3000") && said.contains("COFFER_SIGNUP=invite"), "{said}");
    assert!(said.contains("COFFER_DATABASE_URL=sqlite:data/coffer.db"), "{said}");
}

#[test]
fn the_configuration_is_printed_whole() {
    let printed = config(&Place::new(), &[], &[]);
    let missing: Vec<_> = settings().into_iter().filter(|name| !printed.contains_key(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The lines of the example without their `#`, each with its name and value.
fn examples() -> Vec<(&'static str, &'static str, &'static str)> {
    let lines =
        EXAMPLE.lines().filter_map(|line| line.strip_prefix('#')).filter(|line| line.starts_with("COFFER_"));
    let lines = lines.map(|line| {
        let (name, value) = line.split_once('=').expect("NAME=value");
        (line, name, value.trim_matches('\''))
    });
    lines.collect()
}

#[test]
fn every_line_of_the_example_is_taken_as_it_stands() {
    assert!(examples().len() > 15, "{EXAMPLE}");
    let place = Place::new();
    let bare = config(&place, &[], &[]);
    for (line, name, value) in examples() {
        fs::write(place.path(".env"), format!("{line}\n")).expect("a file");
        let read = config(&place, &[], &[]);
        let wanted = if value.is_empty() { &bare[name] } else { value };
        let shown = read[name].as_str();
        assert!(
            shown.trim_end_matches('/').replace("/32", "") == wanted.replace(", ", ",")
                || shown == "(set, hidden)",
            "{line}: {shown}"
        );
        for file_reader in ["sh", "bash"] {
            // A value that a shell takes for several words is one that other readers of such files refuse.
            let script = format!("set -eu; . ./.env; printf %s \"${name}\"");
            let said = std::process::Command::new(file_reader)
                .args(["-c", &script])
                .current_dir(place.path(""))
                .output();
            assert_eq!(succeeded(&said.expect("a shell")), value, "{line}");
        }
    }
}

/// Those that name a port or a server of their own are looked at above.
#[tokio::test]
async fn every_line_of_the_example_starts_coffer() {
    let elsewhere = ["COFFER_PORT", "COFFER_DATABASE_URL", "COFFER_METRICS_ADDRESS"];
    for (line, ..) in examples().into_iter().filter(|(_, name, _)| !elsewhere.contains(name)) {
        let place = Place::new();
        fs::write(place.path(".env"), format!("{line}\n")).expect("a file");
        let script =
            format!("cd {} && exec env -i {COFFER} serve --port=0 --metrics-address=off", place.path(""));
        let server = Server::new("coffer", "KILL", &["sh", "-c", &script]);
        server.start(READY).await.unwrap_or_else(|log| panic!("{line}: {log}"));
    }
}

/// Standard output alone, line by line; everything of a whole life, from the start to the end.
async fn standard_output(settings: &str) -> (String, String, Place) {
    let place = Place::new();
    let out = place.path("out");
    let script = format!("cd {} && exec env -i {COFFER} serve {settings} >out", place.path(""));
    let server = Server::new("coffer", "TERM", &["sh", "-c", &script]);
    let said = server.start(READY).await.unwrap_or_else(|log| panic!("coffer doesn't start: {log}"));
    let address =
        said.split_once(READY).and_then(|(_, rest)| rest.split_whitespace().next()).expect("an address");
    let _ = reqwest::get(format!("{}/login", address.replace("localhost", "127.0.0.1"))).await;
    server.end();
    let errors = log(&server);
    (fs::read_to_string(out).expect("standard output"), errors, place)
}

#[tokio::test]
async fn standard_output_is_json_lines_and_the_setup_link_is_elsewhere() {
    use std::os::unix::fs::PermissionsExt as _;
    for format in ["json", "auto"] {
        let (out, errors, place) =
            standard_output(&format!("--port=0 --metrics-address=off --log-format={format}")).await;
        let lines: Vec<serde_json::Value> = out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}")))
            .collect();
        assert!(lines.iter().any(|line| line["event"] == "started"), "{out}");
        assert!(lines.iter().any(|line| line["event"] == "stopping"), "{out}");
        assert!(!out.contains("/setup/"), "{out}");
        let link = errors.split_whitespace().find(|word| word.contains("/setup/")).expect("the link");
        let file = place.path("data/setup-link");
        assert_eq!(fs::read_to_string(&file).expect("a file").trim(), link);
        assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn the_setup_link_is_gone_once_somebody_is_there() {
    let place = Place::new();
    fs::create_dir(place.path("data")).expect("a folder");
    fs::write(place.path("data/setup-link"), "an old one").expect("a file");
    let create = ["user", "create", "--username=ada", "--email=ada@example.org"];
    succeeded(&place.run_with_input(&create, &[], "correct horse battery\n"));
    let script =
        format!("cd {} && exec env -i {COFFER} serve --port=0 --metrics-address=off", place.path(""));
    let server = Server::new("coffer", "KILL", &["sh", "-c", &script]);
    server.start(READY).await.unwrap_or_else(|log| panic!("coffer doesn't start: {log}"));
    assert!(!Path::new(&place.path("data/setup-link")).exists());
}

/// Whatever refuses the start: on standard output is a line of the log or nothing.
#[test]
fn a_refused_start_is_a_json_line_too() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let database = format!("postgres://ada:hunter2@127.0.0.1:{}/x?sslmode=bogus", free_port());
    let file = place.path("file");
    fs::write(&file, "").expect("a file");
    for (name, value) in [
        ("COFFER_PORT", port.as_str()),
        ("COFFER_SECRET_KEY", "abc"),
        ("COFFER_DATABASE_URL", "mysql://db/x"),
        ("COFFER_DATABASE_URL", &database),
        ("COFFER_DATA_DIR", &file),
        ("COFFER_LOG", "coffer=loud"),
        ("COFFER_PORT", "http"),
        ("COFFER_PROT", "1"),
    ] {
        let variables = [("COFFER_LOG_FORMAT", "json"), ("COFFER_METRICS_ADDRESS", "off"), (name, value)];
        let said = place.run(
            &["serve"],
            &[&variables[..], if name == "COFFER_PORT" { &[] } else { &[("COFFER_PORT", "0")] }].concat(),
        );
        assert!(!said.status.success() && !said.stderr.is_empty(), "{name}: {said:?}");
        for line in String::from_utf8_lossy(&said.stdout).lines() {
            let line: serde_json::Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}: {line}"));
            assert!(!line.to_string().contains("hunter2"), "{line}");
        }
    }
    let said = place.run(&["serve"], &[("COFFER_LOG_FORMAT", "json"), ("COFFER_PORT", &port)]);
    let out = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(out.contains("\"event\":\"start_failed\"") && out.contains("set COFFER_PORT"), "{out}");
}
