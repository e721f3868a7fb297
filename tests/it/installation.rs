//! The container image, compose and everything around coffer: each file, variable, target and data source that is
//! named exists, and the tools that know the formats have nothing to say.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory as _;
use coffer::cli::Cli;
use serde_json::Value;

const RULES: &str = "observability/prometheus/rules.yml";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// YAML as JSON, by Python's reader, which Debian's Prometheus tools bring along.
fn yaml(path: &str) -> Value {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let said =
        Command::new("python3").args(["-c", script]).arg(root().join(path)).output().expect("python3 starts");
    assert!(
        said.status.success(),
        "{path}: {} (bin/setup installs python3-yaml)",
        String::from_utf8_lossy(&said.stderr)
    );
    serde_json::from_slice(&said.stdout).expect("JSON")
}

/// The words of a list, or of a mapping's keys.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => map.keys().cloned().collect(),
        Value::Array(list) => list
            .iter()
            .filter_map(|item| item.as_str().or_else(|| item["source"].as_str()).map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

fn compose() -> Value {
    yaml("docker-compose.yml")
}

fn services(compose: &Value) -> impl Iterator<Item = (&String, &Value)> {
    compose["services"].as_object().expect("services").iter()
}

#[test]
fn compose_names_only_what_exists() {
    let compose = compose();
    let (volumes, secrets) = (names(&compose["volumes"]), names(&compose["secrets"]));
    for (name, service) in services(&compose) {
        for mount in names(&service["volumes"]) {
            let (source, _) = mount.split_once(':').expect("source:target");
            let there = if source.starts_with('.') {
                root().join(source).exists()
            } else {
                volumes.contains(&source.to_owned())
            };
            assert!(there, "{name}: {mount}");
        }
        for secret in names(&service["secrets"]) {
            assert!(secrets.contains(&secret), "{name}: the secret {secret}");
        }
        for other in names(&service["depends_on"]) {
            assert!(
                !compose["services"][&other]["healthcheck"].is_null(),
                "{name} waits for {other}'s health"
            );
            assert_eq!(service["depends_on"][&other]["condition"], "service_healthy");
        }
        assert!(!service["healthcheck"].is_null() && !service["image"].is_null(), "{name}");
        let image = service["image"].as_str().expect("an image");
        assert!(image.split_once(':').is_some_and(|(_, tag)| tag.contains('.')), "{image} is pinned");
    }
}

/// What compose makes of a value when `.env` holds nothing: the innermost default, `${NAME:-default}`.
fn without_env(value: &str) -> String {
    let mut value = value.to_owned();
    while let Some(end) = value.find('}') {
        let start = value[..end].rfind("${").expect("a variable begins");
        let default = value[start + 2..end].split_once('-').map_or("", |(_, default)| default).to_owned();
        value.replace_range(start..=end, &default);
    }
    value
}

#[test]
fn everything_listens_on_this_machine_alone_and_all_ports_are_the_documented_ones() {
    let mut ports = BTreeSet::new();
    let compose = compose();
    for (name, service) in services(&compose) {
        for port in names(&service["ports"]) {
            let port = without_env(&port);
            let (_, published) = port.split_once("127.0.0.1:").unwrap_or_else(|| panic!("{name}: {port}"));
            ports.insert(format!("{name} {}", published.split(':').next().expect("a port")));
        }
    }
    for known in ["app 3000", "grafana 3001", "loki 3100", "prometheus 9090"] {
        assert!(ports.contains(known), "{known} in {ports:?}");
    }
    assert_eq!(
        without_env(compose["services"]["app"]["environment"]["COFFER_BASE_URL"].as_str().expect("it")),
        "http://localhost:3000"
    );
    let published = names(&compose["services"]["app"]["ports"]).concat();
    assert!(published.starts_with("${COFFER_HOST:-127.0.0.1}:"), "one setting opens it: {published}");
    // Some programs take a service's own variables for those of its `ports` too.
    assert_eq!(compose["services"]["app"]["environment"]["COFFER_HOST"], Value::Null);
    assert_eq!(names(&compose["services"]["app"]["command"]), ["serve", "--host", "0.0.0.0"]);
}

pub fn settings() -> BTreeSet<String> {
    let mut command = Cli::command();
    command.build();
    command.get_arguments().filter_map(|argument| Some(argument.get_env()?.to_str()?.to_owned())).collect()
}

#[test]
fn every_variable_of_the_app_is_a_setting_and_its_secrets_are_mounted() {
    let known = settings();
    let compose = compose();
    let app = &compose["services"]["app"];
    let secrets = names(&app["secrets"]);
    for (name, value) in app["environment"].as_object().expect("variables") {
        assert!(known.contains(name.trim_end_matches("_FILE")), "{name}");
        if name.ends_with("_FILE") {
            let path = without_env(value.as_str().expect("a path"));
            let secret = path.strip_prefix("/run/secrets/").expect("a secret");
            assert!(secrets.contains(&secret.to_owned()), "{name}: {secret}");
        }
    }
    assert_eq!((&app["read_only"], &app["cap_drop"][0]), (&Value::Bool(true), &Value::from("ALL")));
    assert!(app["user"].as_str().is_some_and(|user| !user.starts_with('0')), "{}", app["user"]);
}

/// What stands under `environment` goes before `env_file`, so it must take the value of `.env` itself.
#[test]
fn compose_hands_every_setting_of_the_env_file_on() {
    let app = compose()["services"]["app"].clone();
    assert_eq!(
        (&app["env_file"][0]["path"], &app["env_file"][0]["required"]),
        (&".env".into(), &false.into())
    );
    let of_the_container = ["COFFER_DATA_DIR", "COFFER_METRICS_ADDRESS"];
    for (name, value) in app["environment"].as_object().expect("variables") {
        let value = value.as_str().expect("text");
        let hands_on =
            value.starts_with(&format!("${{{name}-")) || value.starts_with(&format!("${{{name}:-"));
        assert!(hands_on || of_the_container.contains(&name.as_str()), "{name}: {value}");
    }
}

#[test]
fn bin_secrets_makes_each_secret_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let make = || {
        let made = Command::new(root().join("bin/secrets")).arg(folder.path()).status().expect("it runs");
        assert!(made.success());
        let read = |secret: &String| fs::read_to_string(folder.path().join(secret)).expect("a secret");
        names(&compose()["secrets"]).iter().map(read).collect::<Vec<_>>()
    };
    let first = make();
    assert!(first.iter().all(|secret| secret.len() >= 24), "{first:?}");
    assert_eq!(first, make(), "what is there stays");
    let files = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(files, first.len(), "no more than compose names");
    let url = fs::read_to_string(folder.path().join("database_url")).expect("an address");
    let password = fs::read_to_string(folder.path().join("postgres_password")).expect("a password");
    assert!(url.contains(&format!(":{password}@postgres/")), "{url}");
}

#[test]
fn prometheus_scrapes_what_compose_runs() {
    let (prometheus, compose) = (yaml("observability/prometheus/prometheus.yml"), compose());
    let mounted = names(&compose["services"]["prometheus"]["volumes"]).join(" ");
    for rules in names(&prometheus["rule_files"]) {
        assert!(mounted.contains(&rules), "{rules} in {mounted}");
    }
    let address =
        compose["services"]["app"]["environment"]["COFFER_METRICS_ADDRESS"].as_str().expect("an address");
    let port = address.rsplit(':').next().expect("a port");
    let app = &prometheus["scrape_configs"][0];
    assert_eq!(app["static_configs"][0]["targets"][0], format!("app:{port}"));
    let token =
        app["authorization"]["credentials_file"].as_str().and_then(|path| path.strip_prefix("/run/secrets/"));
    assert!(
        names(&compose["services"]["prometheus"]["secrets"]).contains(&token.expect("a secret").to_owned())
    );
}

#[test]
fn every_data_source_of_a_dashboard_is_provisioned_and_leads_to_a_service() {
    let sources = yaml("observability/grafana/provisioning/datasources/coffer.yml");
    let sources = sources["datasources"].as_array().expect("sources");
    let compose = compose();
    for source in sources {
        let url: url::Url = source["url"].as_str().and_then(|url| url.parse().ok()).expect("an address");
        assert!(!compose["services"][url.host_str().expect("a host")].is_null(), "{url}");
    }
    let known: BTreeSet<&str> = sources.iter().filter_map(|source| source["uid"].as_str()).collect();
    let mut uids = BTreeSet::new();
    for (path, dashboard) in dashboards() {
        let file = path.file_stem().expect("a name").to_string_lossy();
        assert_eq!(dashboard["uid"], format!("coffer-{file}"));
        assert!(uids.insert(file.into_owned()));
        for panel in dashboard["panels"].as_array().expect("panels") {
            for target in panel["targets"].as_array().expect("targets") {
                let uid = target["datasource"]["uid"].as_str().expect("a source");
                assert!(known.contains(uid), "{}: {uid}", panel["title"]);
            }
        }
    }
    for wanted in ["objectives", "routes", "cache", "access", "database", "runtime", "logs"] {
        assert!(uids.contains(wanted), "{wanted}");
    }
}

pub fn dashboards() -> Vec<(PathBuf, Value)> {
    let folder = root().join("observability/grafana/dashboards");
    let files = fs::read_dir(folder).expect("dashboards").map(|file| file.expect("a file").path());
    files
        .map(|path| {
            (path.clone(), serde_json::from_str(&fs::read_to_string(&path).expect("text")).expect("JSON"))
        })
        .collect()
}

#[test]
fn promtool_accepts_the_rules_and_their_tests() {
    for arguments in [["check", "rules", RULES], ["test", "rules", "observability/prometheus/rules_test.yml"]]
    {
        let said =
            Command::new("promtool").args(arguments).current_dir(root()).output().expect("promtool starts");
        let words = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
        assert!(said.status.success(), "{arguments:?}: {words}");
    }
}

#[test]
fn every_alert_is_tried_by_a_rule_test() {
    let rules = yaml(RULES);
    let tests = read("observability/prometheus/rules_test.yml");
    for alert in alerts(&rules) {
        assert!(
            tests.contains(&format!("alertname: {}", alert["alert"].as_str().expect("a name"))),
            "{}",
            alert["alert"]
        );
        assert!(alert["annotations"]["action"].is_string(), "it says what to do: {}", alert["alert"]);
    }
}

pub fn alerts(rules: &Value) -> Vec<Value> {
    let groups = rules["groups"].as_array().expect("groups");
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().expect("rules"));
    rules.filter(|rule| !rule["alert"].is_null()).cloned().collect()
}

pub fn rules() -> Value {
    yaml(RULES)
}

/// What `PyPI` has and this machine need not: with them there, they must agree.
#[test]
fn hadolint_and_the_compose_schema_agree_where_they_are_installed() {
    let checks = [
        ("hadolint", vec!["Dockerfile"]),
        ("check-jsonschema", vec!["--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]),
    ];
    for (tool, arguments) in checks {
        let Ok(said) = Command::new(tool).args(arguments).current_dir(root()).output() else { continue };
        let words = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
        assert!(said.status.success(), "{tool}: {words}");
    }
}

#[test]
fn the_image_is_built_from_what_is_sent_to_the_builder() {
    let sent = read(".dockerignore");
    for needed in ["Cargo.toml", "Cargo.lock", "src", "templates", "static", "migrations", "benches"] {
        assert!(sent.contains(&format!("!{needed}")) && Path::new(&root().join(needed)).exists(), "{needed}");
    }
    let file = read("Dockerfile");
    let from: Vec<_> = file.lines().filter(|line| line.starts_with("FROM ")).collect();
    assert!(
        from.len() == 2 && from.iter().all(|line| line.contains(':') && !line.contains("latest")),
        "{from:?}"
    );
    let dist = read("Cargo.toml");
    assert!(file.contains("--profile dist") && dist.contains("lto = \"fat\""));
    assert!(
        file.contains("USER 10001")
            && file.contains("HEALTHCHECK")
            && file.contains("\"coffer\", \"healthcheck\"")
    );
}
