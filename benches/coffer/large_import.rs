//! A large import into a running coffer: how long it takes, how long other writers wait meanwhile, and what memory it needs.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::ACCEPT_ENCODING;
use serde_json::{Value, json};

use crate::coffer::{Coffer, Place, Visitor, timed};
use crate::library::postgres;
use crate::table::{Goal, Table, millis};

/// The most that an import may take at once.
const LIMIT: &str = "--import-limit=128";
const PACE: Duration = Duration::from_millis(20);

/// What was seen while an import went on.
#[derive(Default)]
struct Seen {
    seconds: f64,
    waits: Vec<f64>,
    peak: f64,
}

pub async fn measure(table: &mut Table) {
    let server = postgres().await;
    for place in [Place::sqlite(), Place::postgres(&server.url("postgres"))] {
        place.make_user("owner");
        place.make_user("other");
        let files = [
            (20_000, Format::Html, Goal::Median(10.0)),
            (200_000, Format::Html, Goal::Median(100.0)),
            (200_000, Format::Json, Goal::Median(100.0)),
            (200_000, Format::Csv, Goal::Median(100.0)),
        ];
        for (links, format, goal) in files {
            let coffer = place.serve_with(&["--rate-limit-session=off", "--rate-limit-network=off", LIMIT]);
            coffer.answers("/healthz").await;
            let (owner, other) = (coffer.signed_in("owner").await, coffer.signed_in("other").await);
            let idle = coffer.rss();
            let seen = import(&coffer, [&owner, &other], links, format).await;
            let what = |part: &str| format!("import of {links}, {format:?}: {}, {part}", place.name);
            table.add(what("commit"), "s", vec![seen.seconds], Some(goal));
            table.add(what("another writer meanwhile"), "ms", seen.waits, Some(Goal::P95(50.0)));
            table.add(what("memory over idle"), "MB", vec![seen.peak - idle], Some(Goal::Median(64.0)));
        }
    }
}

async fn import(coffer: &Coffer, [owner, other]: [&Visitor; 2], links: usize, format: Format) -> Seen {
    let mut seen = Seen::default();
    let sent = owner
        .send(Method::POST, "/api/v1/imports")
        .header(ACCEPT_ENCODING, "identity")
        .body(format.file(links));
    let sending = async { sent.send().await.expect("an answer").json::<Value>().await.expect("JSON") };
    let preview = watch(coffer, &mut seen, sending).await;
    assert_eq!(preview["report"]["new"], json!(links), "{}", preview["title"]);
    let place = format!("/api/v1/imports/{}", preview["id"].as_str().expect("an id"));
    let began = Instant::now();
    timed(owner.send(Method::POST, &format!("{place}/commit")), 200).await;
    let mut tick = tokio::time::interval(PACE);
    for number in 0.. {
        tick.tick().await;
        let draft = json!({ "title": "Meanwhile", "url": format!("https://meanwhile.example/{links}/{format:?}/{number}") });
        seen.waits.push(millis(timed(other.send(Method::POST, "/api/v1/resources").json(&draft), 201).await));
        seen.peak = seen.peak.max(coffer.rss());
        let asked = owner.get(&place).header(ACCEPT_ENCODING, "identity");
        let import: Value = asked.send().await.expect("an answer").json().await.expect("JSON");
        if import["state"] != "importing" {
            assert_eq!(import["report"]["new"], json!(links));
            break;
        }
    }
    seen.seconds = began.elapsed().as_secs_f64();
    seen
}

/// Looks at coffer's memory while something goes on.
async fn watch<T>(coffer: &Coffer, seen: &mut Seen, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    let mut tick = tokio::time::interval(PACE);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = tick.tick() => seen.peak = seen.peak.max(coffer.rss()),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Html,
    Json,
    Csv,
}

impl Format {
    fn file(self, links: usize) -> String {
        let links = (0..links).map(|number| Link {
            number,
            url: format!("https://site{}.example.org/{self:?}/{links}/page?id={number}", number % 5_000),
            tag: format!("topic {}", number % 37),
            date: 1_600_000_000 + number,
        });
        match self {
            Self::Html => html(links),
            Self::Json => json!(links.map(Link::json).collect::<Vec<_>>()).to_string(),
            Self::Csv => links.fold("url,title,tags,time_added\n".to_owned(), Link::row),
        }
    }
}

struct Link {
    number: usize,
    url: String,
    tag: String,
    date: usize,
}

impl Link {
    fn json(self) -> Value {
        let Self { number, url, tag, date } = self;
        json!({ "url": url, "title": format!("Page {number} of many"), "tags": [tag], "created": date })
    }

    fn row(mut table: String, Self { number, url, tag, date }: Self) -> String {
        let _ = writeln!(table, "{url},Page {number} of many,{tag},{date}");
        table
    }
}

/// As browsers write it: a folder for every fifty links.
fn html(links: impl Iterator<Item = Link>) -> String {
    let mut html = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p>\n".to_owned();
    for Link { number, url, tag, date } in links {
        if number % 50 == 0 {
            let end = if number == 0 { "" } else { "</DL><p>\n" };
            let _ = writeln!(html, "{end}<DT><H3>Folder {}</H3>\n<DL><p>", number / 50 % 200);
        }
        let _ = writeln!(
            html,
            "<DT><A HREF=\"{url}\" ADD_DATE=\"{date}\" TAGS=\"{tag}\">Page {number} of many</A>",
        );
    }
    html + "</DL><p>\n</DL><p>\n"
}
