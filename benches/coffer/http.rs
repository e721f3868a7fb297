//! Whole requests over HTTP while the library grows tenfold and tenfold again, beside a bare handler that sends the same
//! bytes and beside a small handler that asks sqlx each time. CPU is the server's and PostgreSQL's.

mod load;

use std::path::Path;
use std::time::{Duration, Instant};

pub use self::load::ids;
use self::load::{Subject, mix};

use crate::Asked;
use crate::cache::{Bare, pause};
use crate::chart::Chart;
use crate::coffer::{Coffer, Place, Visitor};
use crate::keep_alive::{KeepAlive, get};
use crate::library::postgres;
use crate::postgres::PostgresServer;
use crate::table::{Goal, Table, at, millis};

const FIRST: u64 = 10_000;
const REQUESTS: usize = 16_000;
const ROUNDS: usize = 5;
const READERS: usize = 32;
/// Of a library's entries, read by all readers.
const READ: usize = 2_000;
/// What took longest in large libraries, and a word that half of all entries have.
const SEARCHES: [(&str, &str, &str); 7] = [
    ("a phrase", "\"quiet library\"", ""),
    ("a long phrase", "\"the quiet library of perth\"", ""),
    ("a tag", "tag:library", ""),
    ("a site", "site:perth.example.org", ""),
    ("nothing but a not", "-library", ""),
    ("a common word by time", "library", "newest"),
    ("a common word", "library", ""),
];

pub async fn measure(table: &mut Table, asked: &Asked) {
    let (server, mut chart) = (postgres().await, Chart::default());
    let largest: u64 = asked.count.parse().expect("a number");
    let mut size = FIRST.min(largest);
    while size <= largest {
        // Without migrations, which coffer runs when it starts.
        let database = server.database("template1");
        for (place, server) in [(Place::sqlite(), None), (Place::postgres(database.url()), Some(&server))] {
            let people: Vec<String> = (0..READERS).map(|number| format!("reader{number}")).collect();
            ["owner"]
                .into_iter()
                .chain(people.iter().map(String::as_str))
                .for_each(|name| place.make_user(name));
            let took = place.run(&["seed", "--user", "owner", "--count", &size.to_string()], "");
            eprintln!("{} has {size} after {:.0} s", place.name, took.as_secs_f64());
            Round { table, chart: &mut chart, place: &place, server, people: &people, size }.run().await;
        }
        size *= 10;
    }
    if let Some(path) = &asked.chart {
        std::fs::write(path, chart.svg()).expect("the chart is written");
    }
}

/// What coffer and the other server are asked.
struct Requests<'a> {
    hits: &'a [Vec<u8>],
    misses: &'a [Vec<u8>],
    plain: &'a [Vec<u8>],
    rows: &'a [Vec<u8>],
}

/// One engine at one size.
struct Round<'a> {
    table: &'a mut Table,
    chart: &'a mut Chart,
    place: &'a Place,
    server: Option<&'a PostgresServer>,
    people: &'a [String],
    size: u64,
}

impl Round<'_> {
    async fn run(mut self) {
        let coffer = self.place.serve();
        coffer.answers("/healthz").await;
        let owner = coffer.signed_in("owner").await;
        let mut readers = Vec::new();
        for name in self.people {
            readers.push(coffer.signed_in(name).await);
        }
        let ids = ids(&owner, REQUESTS / 2).await;
        self.requests(&coffer, &owner, &ids).await;
        self.readers(&coffer, &readers).await;
        for (what, q, sort) in SEARCHES {
            let took = search(&owner, q, sort).await;
            self.add(&format!("search, {what}"), "ms", took, Some(40.0));
        }
        let tags = tags(&owner, &ids[0]).await;
        self.add("tags after a change", "ms", tags, Some(20.0));
    }

    fn add(&mut self, what: &str, unit: &'static str, samples: Vec<f64>, goal: Option<f64>) {
        self.chart.add(self.place.name, what, unit, self.size, at(&samples, 0.5));
        let what = format!("http: {}, {}, {what}", self.place.name, self.size);
        self.table.add(what, unit, samples, goal.map(Goal::Median));
    }

    /// Hits, misses and a mix, each beside the two handlers, in turns.
    async fn requests(&mut self, coffer: &Coffer, owner: &Visitor, ids: &[String]) {
        let cookie = format!("Cookie: {}\r\n", owner.cookie());
        let path = |id: &String| format!("/api/v1/resources/{id}");
        let hits = [get(coffer.authority(), &path(&ids[0]), &cookie)];
        let misses: Vec<_> = ids.iter().map(|id| get(coffer.authority(), &path(id), &cookie)).collect();
        let mut client = KeepAlive::connect(coffer.authority()).await;
        client.ask(&hits[0]).await.expect("an answer");
        let folder = self.place.folder.path();
        let url = self.place.postgres.clone().unwrap_or_else(|| copied(folder));
        let other = Bare::start(folder, "application/json", client.body(), Some(&url));
        pause().await;
        let plain = [get(&other.authority, "/", "")];
        let rows: Vec<_> = ids.iter().map(|id| get(&other.authority, &format!("/{id}"), "")).collect();
        let ours = Subject { process: coffer.id(), authority: coffer.authority(), postgres: self.server };
        let theirs =
            Subject { process: other.child.id(), authority: &other.authority, postgres: self.server };
        self.single(&ours, &theirs, &Requests { hits: &hits, misses: &misses, plain: &plain, rows: &rows })
            .await;
        let headers = format!(
            "{cookie}Origin: http://{}\r\nX-CSRF-Token: {}\r\nIf-Match: *\r\n",
            coffer.authority(),
            owner.csrf()
        );
        let ours_mixed =
            changes(ids, |id| Change { authority: coffer.authority(), path: path(id), headers: &headers });
        let theirs_mixed =
            changes(ids, |id| Change { authority: &other.authority, path: format!("/{id}"), headers: "" });
        self.mixed(&ours, &theirs, &ours_mixed, &theirs_mixed).await;
    }

    /// Hits and misses.
    async fn single(&mut self, ours: &Subject<'_>, theirs: &Subject<'_>, requests: &Requests<'_>) {
        let Requests { hits, misses, plain, rows } = *requests;
        let mut figures: [Vec<f64>; 6] = Default::default();
        for round in 0..ROUNDS {
            let part =
                |all: &[Vec<u8>]| all[round * all.len() / ROUNDS..(round + 1) * all.len() / ROUNDS].to_vec();
            let (asked, rows) = (part(misses), part(rows));
            let bare = theirs.load(plain, REQUESTS).await.cpu;
            let hit = ours.load(hits, REQUESTS).await.cpu;
            let row = theirs.load(&rows, rows.len()).await.cpu;
            let miss = ours.load(&asked, asked.len()).await.cpu;
            for (samples, figure) in figures.iter_mut().zip([bare, hit, hit / bare, row, miss, miss / row]) {
                samples.push(figure);
            }
        }
        let [bare, hit, over_bare, row, miss, over_row] = figures;
        self.add("bare handler, CPU", "us", bare, None);
        self.add("hit, CPU", "us", hit, None);
        self.add("hit over the bare handler", "x", over_bare, Some(4.0));
        self.add("handler without cache, CPU", "us", row, None);
        self.add("miss, CPU", "us", miss, None);
        self.add("miss over the handler without cache", "x", over_row, Some(1.2));
    }

    async fn mixed(
        &mut self,
        ours: &Subject<'_>,
        theirs: &Subject<'_>,
        ours_mixed: &[Vec<u8>],
        theirs_mixed: &[Vec<u8>],
    ) {
        let (mut we, mut they, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let other = theirs.load(theirs_mixed, REQUESTS / 4).await.per_second;
            let own = ours.load(ours_mixed, REQUESTS / 4).await.per_second;
            they.push(other);
            we.push(own);
            ratios.push(other / own);
        }
        self.add("5 % writes, handler without cache", "/s", they, None);
        self.add("5 % writes", "/s", we, None);
        self.add("5 % writes, the handler's over coffer's", "x", ratios, Some(1.0));
    }

    /// The same entries, read by one and by many.
    async fn readers(&mut self, coffer: &Coffer, readers: &[Visitor]) {
        let ids = ids(&readers[0], READ).await;
        let ours = Subject { process: coffer.id(), authority: coffer.authority(), postgres: self.server };
        let asked = |readers: &[Visitor]| -> Vec<Vec<u8>> {
            (0..REQUESTS)
                .map(|at| {
                    let cookie = format!("Cookie: {}\r\n", readers[at % readers.len()].cookie());
                    get(
                        coffer.authority(),
                        &format!("/api/v1/resources/{}", ids[at * 7 % ids.len()]),
                        &cookie,
                    )
                })
                .collect()
        };
        let (one, many) = (asked(&readers[..1]), asked(readers));
        let (mut alone, mut together, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let single = ours.load(&one, REQUESTS).await.cpu;
            let several = ours.load(&many, REQUESTS).await.cpu;
            alone.push(single);
            together.push(several);
            ratios.push(several / single);
        }
        self.add("one reader, CPU", "us", alone, None);
        self.add("32 readers, CPU", "us", together, None);
        self.add("32 readers over one", "x", ratios, Some(1.2));
    }
}

/// Where and how an entry is changed.
struct Change<'a> {
    authority: &'a str,
    path: String,
    headers: &'a str,
}

impl Change<'_> {
    fn request(&self, number: usize) -> Vec<u8> {
        let body = format!("{{\"title\":\"Changed {number}\"}}");
        let length = body.len();
        let headers =
            format!("{}Content-Type: application/json\r\nContent-Length: {length}\r\n", self.headers);
        let request = String::from_utf8(get(self.authority, &self.path, &headers)).expect("text");
        format!("{}{body}", request.replacen("GET", "PATCH", 1)).into_bytes()
    }
}

/// Reads of these entries, and among them changes.
fn changes<'a>(ids: &'a [String], change: impl Fn(&'a String) -> Change<'a>) -> Vec<Vec<u8>> {
    mix(
        REQUESTS / 4,
        ids,
        |id| {
            let Change { authority, path, headers } = change(id);
            get(authority, &path, headers)
        },
        |id, number| change(id).request(number),
    )
}

/// The database as it is, for a process of its own.
fn copied(folder: &Path) -> String {
    let copy = folder.join("copy.db");
    for end in ["", "-wal"] {
        let from = folder.join(format!("data/coffer.db{end}"));
        let _ = std::fs::copy(from, folder.join(format!("copy.db{end}")));
    }
    format!("sqlite:{}", copy.display())
}

async fn search(person: &Visitor, q: &str, sort: &str) -> Vec<f64> {
    let mut samples = Vec::new();
    for round in 0..=ROUNDS {
        // Spaces before it make it another question to coffer's cache, with the same answer.
        let q = format!("{}{q}", " ".repeat(round));
        let began = Instant::now();
        let answer = person.get("/api/v1/resources").query(&[("q", q.as_str()), ("sort", sort)]).send().await;
        assert_eq!(answer.expect("an answer").status(), 200, "{q}");
        if round > 0 {
            samples.push(millis(began.elapsed()));
        }
    }
    samples
}

/// The tags, each time after a change of what is shared.
async fn tags(owner: &Visitor, id: &str) -> Vec<f64> {
    let mut samples = Vec::new();
    for round in 0..ROUNDS {
        let change =
            serde_json::json!({ "tags": ["oslo", format!("round/{round}")], "visibility": "public" });
        let request = owner.send(reqwest::Method::PATCH, &format!("/api/v1/resources/{id}"));
        let changed = request.header(reqwest::header::IF_MATCH, "*").json(&change).send().await;
        assert_eq!(changed.expect("an answer").status(), 200);
        let took: Duration = crate::coffer::timed(owner.get("/api/v1/tags"), 200).await;
        samples.push(millis(took));
    }
    samples
}
