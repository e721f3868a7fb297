//! The documents: complete, true to the program, and found by the words of a reader's question.

use std::collections::BTreeSet;
use std::path::Path;

use crate::startup::Place;
use crate::support::documents::{Section, page, pages, sections};

/// For operators; the other pages are for readers of the code.
const OPERATORS: [&str; 13] = [
    "install", "proxy", "settings", "backup", "upgrade", "howto", "troubleshooting", "production", "scaling",
    "observability", "security", "limiter", "cache",
];

/// What an operator would search for, and where the answer is.
const QUESTIONS: [(&str, &str); 66] = [
    ("change domain", "howto#Change the domain or the address"),
    ("change port", "howto#Change the port, or listen on another address"),
    ("unix socket", "howto#Change the port, or listen on another address"),
    ("move to another server", "howto#Move to another server"),
    ("switch from sqlite to postgresql", "howto#Switch from SQLite to PostgreSQL"),
    ("disable registration", "howto#Disable registration (sign-up), or open it"),
    ("make somebody admin", "howto#Make a user an admin"),
    ("delete a user", "howto#Disable or delete a user"),
    ("require two factor for everyone", "howto#Require two-step login, the second factor (2FA)"),
    ("where is my data stored", "howto#Find where the data is stored"),
    ("see the logs", "howto#See the logs"),
    ("too many connections", "troubleshooting#PostgreSQL has too many connections"),
    ("https certificate without proxy", "proxy#https without a proxy: your own certificate"),
    ("502 bad gateway", "troubleshooting#502 or 504 from the proxy"),
    ("log level", "howto#Change what is logged: the log level"),
    ("behind cloudflare", "howto#Behind Cloudflare or another CDN"),
    ("memory limit oom", "howto#Limit memory: out of memory, OOM"),
    ("uninstall", "howto#Delete everything: uninstall"),
    ("invite somebody", "install#Invite others"),
    ("add a second node", "install#Add a second node"),
    ("install debian package", "install#Debian package"),
    ("systemd service unit", "install#Binary with systemd"),
    ("docker container", "install#Container"),
    ("run a command with the settings of the service", "install#Run commands with the service's settings"),
    ("create postgresql database and role", "install#PostgreSQL"),
    ("redis maxmemory", "install#Redis"),
    ("set up mail by smtp, without a mail server", "install#Mail"),
    ("first admin account setup link", "install#The first account"),
    ("nginx proxy", "proxy#nginx"),
    ("caddy", "proxy#Caddy"),
    ("traefik labels", "proxy#Traefik"),
    ("several nodes load balancer draining", "proxy#Several nodes, and draining"),
    ("hsts", "proxy#HSTS"),
    ("subpath base path below a host", "proxy#A path below the host"),
    ("keep prometheus metrics inside", "proxy#Prometheus: metrics stay inside"),
    ("make a backup", "backup#Make a backup"),
    ("backup secret key", "backup#Backup of the secret key"),
    ("nightly backup cron timer", "backup#Every night, by cron or a timer"),
    ("check that a backup works", "backup#See that it works"),
    ("restore sqlite", "backup#Restore on SQLite"),
    ("restore postgresql", "backup#Restore on PostgreSQL"),
    ("redis after restore", "backup#Redis after a restore"),
    ("upgrade many nodes rolling", "upgrade#Many nodes"),
    ("downgrade way back", "upgrade#The way back"),
    ("forgotten password reset link", "troubleshooting#A lost or forgotten password"),
    ("lost phone second factor", "troubleshooting#A lost phone or second factor"),
    ("user locked out unlock", "troubleshooting#Locked out: too many attempts"),
    ("lost key", "troubleshooting#The key is lost"),
    ("421 misdirected", "troubleshooting#421 Misdirected Request"),
    ("413 too large upload", "troubleshooting#413 Payload Too Large"),
    ("504 gateway timeout", "troubleshooting#502 or 504 from the proxy"),
    ("429 for all visitors", "troubleshooting#429 for all visitors: they look like one"),
    ("mail does not arrive", "troubleshooting#Mail waits or does not arrive"),
    ("slow pages", "troubleshooting#Pages are slow"),
    ("disk full", "troubleshooting#The disk is full"),
    ("redis down", "troubleshooting#Redis is down"),
    ("how much memory sizing", "production#Sizing: memory, processor, connections"),
    ("alertmanager alerts mail", "production#Alerts"),
    ("log shipping json", "production#Log shipping"),
    ("audit trail export elsewhere", "production#The audit trail kept elsewhere"),
    ("read replica", "scaling#Read replicas"),
    ("pgbouncer", "scaling#pgbouncer"),
    ("supported versions postgresql", "scaling#Supported versions of PostgreSQL and Redis"),
    ("rotate secret key", "security#Rotate the secret key"),
    ("rate limit settings", "limiter#Rate limit: settings and signs"),
    ("cache memory settings", "cache#Cache: settings and signs"),
];

/// How well a section answers: a word in its heading tells more than one in its text, or in the page's name.
fn score(question: &str, section: &Section) -> usize {
    let words = |text: &str| -> Vec<String> {
        let text = text.to_lowercase();
        let words =
            text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        words.map(ToOwned::to_owned).collect()
    };
    let (file, heading, text) = (words(&section.file), words(&section.heading), words(&section.text));
    let is_in = |wanted: &str, text: &[String]| {
        text.iter().any(|word| word == wanted || (wanted.len() > 3 && word.starts_with(wanted)))
    };
    let points = |word: &String| {
        [(10, &heading), (3, &file), (4, &text)]
            .into_iter()
            .filter_map(|(points, place)| is_in(word, place).then_some(points))
            .sum::<usize>()
    };
    words(question).iter().map(points).sum()
}

#[test]
fn an_operators_question_finds_its_answer() {
    let sections: Vec<Section> = OPERATORS.iter().flat_map(|file| self::sections(file)).collect();
    for (question, answer) in QUESTIONS {
        let best = sections.iter().map(|section| score(question, section)).max().expect("sections");
        let found: Vec<String> = sections
            .iter()
            .filter(|section| score(question, section) == best)
            .map(|section| format!("{}#{}", section.file, section.heading))
            .collect();
        assert_eq!(found, [answer], "{question}");
    }
}

#[test]
fn every_page_is_in_the_index_and_every_link_leads_somewhere() {
    let index = page("README");
    for name in pages().iter().filter(|name| *name != "README") {
        assert!(index.contains(&format!("({name}.md)")), "docs/README.md names {name}.md");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in pages() {
        for link in links(&page(&name)) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() {
                root.join(format!("docs/{name}.md"))
            } else {
                root.join("docs").join(path)
            };
            assert!(target.exists(), "{name}.md: {link}");
            let text = std::fs::read_to_string(&target).unwrap_or_default();
            assert!(anchor.is_empty() || anchors(&text).contains(anchor), "{name}.md: {link}");
        }
    }
}

/// What is linked, other sites aside.
fn links(text: &str) -> Vec<String> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    links.map(|(link, _)| link.to_owned()).filter(|link| !link.contains("://")).collect()
}

/// The headings as GitHub names them in addresses.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let name = |heading: &str| {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(name).collect()
}

#[test]
fn the_list_of_settings_is_the_programs() {
    let place = Place::new();
    let printed = place.done(&["settings"], &[]);
    assert_eq!(page("settings"), printed, "`cargo run -- settings > docs/settings.md` writes it anew");
    for setting in place.done(&["config"], &[]).lines().filter_map(|line| line.split_once('=')) {
        assert!(printed.contains(&format!("| `{}` |", setting.0)), "{}", setting.0);
    }
}
