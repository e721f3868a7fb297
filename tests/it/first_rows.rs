//! What many rows match is found among the first rows of the list: the same pages as by looking at every entry.

use std::collections::BTreeSet;

use coffer::db::Db;
use coffer::identity::{Role, Viewer};
use coffer::resources::listing::{Hit, ListParams, Sort};
use coffer::resources::store::{self, Size, Sizes, first_rows};
use coffer::resources::visibility::Visibility;
use coffer::resources::{Draft, Via};
use coffer::web::cursor::CursorKey;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::support::app::{App, Engine};
use crate::support::on_both_engines;

const SORTS: [&str; 4] = ["newest", "oldest", "changed", "title"];
/// Pages that are compared.
const PAGES: usize = 4;

type Matches = fn(&Hit) -> bool;

const SEARCHES: [(&str, Matches); 14] = [
    ("site:example.org", |hit| hit.resource.url.is_some()),
    ("-tag:oslo", |hit| !hit.resource.tags.0.iter().any(|tag| tag == "oslo")),
    ("-site:oslo.example.org", |hit| !is_on(hit, "https://oslo.example.org/")),
    ("site:example.org -tag:library", |hit| {
        hit.resource.url.is_some() && !hit.resource.tags.0.iter().any(|tag| tag.starts_with("library/"))
    }),
    ("-library", |hit| !has_word(hit, "library")),
    ("is:pinned -library", |hit| hit.resource.pinned && !has_word(hit, "library")),
    ("is:unread -library", |hit| hit.resource.unread && !has_word(hit, "library")),
    ("-library -site:oslo.example.org/atlas", |hit| {
        !has_word(hit, "library") && !is_on(hit, "https://oslo.example.org/atlas/")
    }),
    ("-library -engine", |hit| !has_word(hit, "library") && !has_word(hit, "engine")),
    ("reference ", |hit| has_word(hit, "reference")),
    ("referenc", |hit| has_word(hit, "reference")),
    ("-atlas engine librar", |hit| {
        has_word(hit, "engine") && has_word(hit, "library") && !has_word(hit, "atlas")
    }),
    ("atlas or engi", |hit| has_word(hit, "atlas") || has_word(hit, "engine")),
    ("library reference tag:oslo", |hit| {
        has_word(hit, "library")
            && has_word(hit, "reference")
            && hit.resource.tags.0.iter().any(|tag| tag == "oslo")
    }),
];

fn is_on(hit: &Hit, beginning: &str) -> bool {
    hit.resource.url.as_ref().is_some_and(|url| url.starts_with(beginning))
}

fn has_word(hit: &Hit, word: &str) -> bool {
    let resource = &hit.resource;
    let text = format!("{} {} {}", resource.title, resource.tags.0.join(" "), resource.body).to_lowercase();
    let has = text.split(|c: char| !c.is_alphanumeric()).any(|one| one == word);
    has || resource.url.as_ref().is_some_and(|url| url.contains(word))
}

async fn walk(app: &App, viewer: &Viewer, mut params: ListParams, pages: usize) -> Vec<Hit> {
    let mut hits = Vec::new();
    for _ in 0..pages {
        let page = app.coffer.library.resources.list(viewer, &params).await.expect("a page");
        hits.extend(page.hits.iter().map(|hit| Hit::clone(hit)));
        match &page.next {
            Some(next) => params.cursor.clone_from(next),
            None => break,
        }
    }
    hits
}

fn ids(hits: &[Hit]) -> Vec<Uuid> {
    hits.iter().map(|hit| hit.resource.id).collect()
}

async fn library(app: &App) {
    for (name, count) in [("ada", 2_600), ("eve", 1_000)] {
        app.has_account(name, Role::Member).await;
        app.coffer
            .library
            .resources
            .seed(&app.viewer(name).await, count, |_| ())
            .await
            .expect("a seeded library");
    }
}

on_both_engines!(pages_of_common_searches_are_those_of_the_whole_list);
async fn pages_of_common_searches_are_those_of_the_whole_list(app: App) {
    library(&app).await;
    let mut most = 0;
    for name in ["ada", "eve", "visitor"] {
        let viewer = app.viewer(name).await;
        for sort in SORTS {
            let all = ListParams {
                limit: "200".into(),
                sort: sort.into(),
                include: "body".into(),
                ..ListParams::default()
            };
            let all = walk(&app, &viewer, all, usize::MAX).await;
            for (q, matches) in SEARCHES {
                let params = ListParams { q: q.into(), sort: sort.into(), ..ListParams::default() };
                let found = walk(&app, &viewer, params, PAGES).await;
                // Pins and what is read later are their owner's.
                let is_meant = |hit: &&Hit| !q.starts_with("is:") || hit.resource.is_mine(&viewer);
                let wanted = all.iter().filter(is_meant).filter(|hit| matches(hit));
                let wanted: Vec<Hit> = wanted.take(PAGES * 50).cloned().collect();
                most = most.max(found.len());
                assert_eq!(ids(&found), ids(&wanted), "{name} {sort} {q}");
            }
        }
    }
    assert_eq!(most, PAGES * 50, "some fill all pages");
}

type OnDay = fn(&Hit, &str) -> bool;

/// With the day after the ones that end in a colon.
const ALONG_THE_LIST: [(&str, OnDay); 4] = [
    ("before:", |hit, day| day_of(hit).as_str() < day),
    ("after:", |hit, day| day_of(hit).as_str() >= day),
    ("is:pinned", |hit, _| hit.resource.pinned),
    ("is:unread", |hit, _| hit.resource.unread),
];

fn day_of(hit: &Hit) -> String {
    hit.resource.created_at.rfc3339()[..10].to_owned()
}

on_both_engines!(common_words_with_dates_and_flags_find_all_that_match);
async fn common_words_with_dates_and_flags_find_all_that_match(app: App) {
    library(&app).await;
    let ada = app.viewer("ada").await;
    let all = ListParams { limit: "200".into(), include: "body".into(), ..ListParams::default() };
    let mut own = walk(&app, &ada, all, usize::MAX).await;
    own.retain(|hit| hit.resource.is_mine(&ada));
    let day = day_of(&own[own.len() / 3]);
    // In all entries, in some, in none.
    for word in ["reference", "atlas", "zzyzx"] {
        for (filter, matches) in ALONG_THE_LIST {
            let day_of_filter = if filter.ends_with(':') { day.as_str() } else { "" };
            let q = format!("{word} by:me {filter}{day_of_filter}");
            let params = ListParams { q: q.clone(), limit: "200".into(), ..ListParams::default() };
            let mut found = ids(&walk(&app, &ada, params.clone(), usize::MAX).await);
            let wanted = own.iter().filter(|hit| has_word(hit, word) && matches(hit, &day));
            let mut wanted: Vec<Uuid> = wanted.map(|hit| hit.resource.id).collect();
            let count = app.coffer.library.resources.count(&ada, &params).await.expect("a number");
            assert_eq!(usize::try_from(count), Ok(wanted.len()), "{q}");
            found.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(found, wanted, "{q}");
        }
    }
}

// As if they were too many to list, which takes more entries than a test has.
on_both_engines!(common_words_are_found_among_the_first_rows);
async fn common_words_are_found_among_the_first_rows(app: App) {
    library(&app).await;
    let (db, ada) = (&app.coffer.db, app.viewer("ada").await);
    for (q, sort) in [
        ("library ", "newest"),
        ("library quiet ", "title"),
        ("library tag:oslo", "oldest"),
        ("engine -atlas", "changed"),
    ] {
        let params = ListParams { q: q.into(), sort: sort.into(), ..ListParams::default() };
        let search = params.search(&CursorKey::new([7; 32])).expect("a search");
        let sizes = Sizes { words: Size::Many, filters: vec![Size::Unknown; search.filters.len()] };
        let Some(first) = first_rows::counted(db, &ada, &search, &sizes) else {
            assert!(matches!(db, Db::Postgres(_)), "PostgreSQL knows how common a word is");
            continue;
        };
        let first = rows(db, first.statement).await;
        let page = store::list::page(db, &ada, &search).await.expect("a page");
        assert_eq!(first.len(), 51, "{q}: one more than a page");
        assert_eq!(first[..50], ids(&page.hits)[..], "{q} {sort}");
    }
    // Each row would list all that begins with it, as a text does not tell the signs.
    let params = ListParams { q: "♥ librar".into(), sort: "newest".into(), ..ListParams::default() };
    let typed = params.search(&CursorKey::new([7; 32])).expect("a search");
    let sizes = Sizes { words: Size::Many, filters: Vec::new() };
    assert!(first_rows::counted(db, &ada, &typed, &sizes).is_none());
}

#[test]
fn a_sample_stays_the_same_while_a_library_grows() {
    let sample = |last| store::numbers(last).collect::<BTreeSet<_>>();
    let before = sample(1_000_000);
    assert_eq!(before.len(), 400);
    assert!(before.iter().all(|rid| (1..=1_000_000).contains(rid)));
    assert_eq!(before, sample(1_010_000));
    assert_ne!(before, sample(1_070_000));
}

// With the numbers that a sample of 60,000 entries has.
on_both_engines!(what_a_tenth_of_a_large_library_matches_is_not_counted);
async fn what_a_tenth_of_a_large_library_matches_is_not_counted(app: App) {
    for name in ["ada", "eve"] {
        app.has_account(name, Role::Member).await;
    }
    let (ada, eve) = (app.viewer("ada").await, app.viewer("eve").await);
    let resources = &app.coffer.library.resources;
    for nth in 0..161 {
        let body = match nth {
            101.. => "scarce scarcely".to_owned(),
            _ if nth % 20 == 3 => "reference seldom".to_owned(),
            _ => "reference".to_owned(),
        };
        let visibility = if nth % 10 == 0 { Visibility::Members } else { Visibility::Private };
        let (title, tags) = (format!("Entry {nth}"), vec!["oslo".into()]);
        let draft = Draft { title, body, tags, visibility, ..Draft::default() };
        resources.create(&ada, &draft, Via::Api).await.expect("an entry");
    }
    let last = 60_000;
    let sampled: Vec<i64> = store::numbers(last).collect();
    let beside = (1..last).filter(|rid| !sampled.contains(rid)).take(60);
    let numbers: Vec<i64> = sampled[..100].iter().copied().chain([last]).chain(beside).collect();
    let apart: Vec<String> = (1..).zip(numbers).map(|(nth, rid)| format!("WHEN {nth} THEN -{rid}")).collect();
    let apart = format!("UPDATE resources SET rid = CASE rid {} END", apart.join(" "));
    let apart = [apart.as_str(), "UPDATE resources SET rid = -rid"];
    match &app.coffer.db {
        Db::Postgres(pool) => {
            for sql in ["ALTER TABLE resources ALTER COLUMN rid DROP IDENTITY"].iter().chain(&apart) {
                sqlx::query(AssertSqlSafe(*sql)).execute(&**pool).await.expect("numbers");
            }
        }
        Db::Sqlite { write, .. } => {
            for sql in apart.iter().chain(&["INSERT INTO resources_fts (resources_fts) VALUES ('rebuild')"]) {
                sqlx::query(AssertSqlSafe(*sql)).execute(&**write).await.expect("numbers");
            }
        }
    }
    let searches = [
        ("reference", 1_001, 101),
        ("-seldom", 1_001, 156),
        ("seldom", 5, 5),
        ("reference seldom", 5, 5),
        ("scarce", 60, 60),
        ("reference after:2001-01-01", 1_001, 101),
        ("reference before:2001-01-01", 0, 0),
        ("kind:note", 1_001, 161),
        ("", 1_001, 161),
    ];
    for (q, count, listed) in searches {
        for q in [q.to_owned(), format!("{q} ")] {
            let params = ListParams { q: q.clone(), ..ListParams::default() };
            let found = resources.matches(&ada, &params).await.expect("matches");
            assert_eq!(found.count, count, "{q}");
            assert_eq!(resources.count_some(&ada, &params).await.expect("a number"), count, "{q}");
            let (listing, beside) = resources.list_with_matches(&ada, &params).await.expect("a list");
            // What is ranked, the list has counted itself.
            let known = if listing.sort == Sort::Relevance { listed } else { count };
            let uses: Vec<i64> = beside.tags.iter().map(|tag| tag.count).collect();
            let tagged = if (51..=1_000).contains(&known) {
                vec![i64::try_from(known).expect("few")]
            } else {
                Vec::new()
            };
            assert_eq!((beside.count, uses), (known, tagged), "{q}");
            assert_eq!(walk(&app, &ada, params.clone(), usize::MAX).await.len(), listed, "{q}");
        }
    }
    // A member who sees a tenth finds phrases in that tenth.
    for (q, count) in [("\"scarce scarcely\"", 6), ("scarce", 6), ("seldom", 0)] {
        let params = ListParams { q: q.to_owned(), ..ListParams::default() };
        let (listing, beside) = resources.list_with_matches(&eve, &params).await.expect("a list");
        assert_eq!((listing.hits.len(), beside.count), (count, count), "{q}");
        assert_eq!(resources.matches(&eve, &params).await.expect("matches").count, count, "{q}");
    }
    let none = ListParams { q: "-".into(), ..ListParams::default() };
    assert_eq!(resources.matches(&ada, &none).await.expect("matches").count, 0);
}

// In the latest quarter of the sample's entries, all that are beside it match.
#[tokio::test]
async fn the_latest_with_a_common_phrase_are_ranked() {
    const MATCHES: &str =
        "SELECT id FROM resources WHERE fold_body LIKE '%amber lantern%' ORDER BY created_at DESC, id DESC";
    let app = App::with(Engine::Postgres, &[]).await;
    app.has_account("ada", Role::Member).await;
    let ada = app.viewer("ada").await;
    app.coffer.library.resources.seed(&ada, 2_600, |_| ()).await.expect("a library");
    let last = 60_000;
    let mut sampled: Vec<i64> = store::numbers(last).collect();
    let mut beside = (1..last).filter(|rid| !sampled.contains(rid)).collect::<Vec<_>>().into_iter();
    // Every sixth is in the sample, of which every sixteenth matches.
    let numbers: Vec<i64> = (0..2_599)
        .map(|nth| {
            if nth % 6 == 0 { sampled.pop() } else { None }.or_else(|| beside.next()).expect("a number")
        })
        .chain([last])
        .collect();
    let numbers: Vec<String> = numbers.iter().map(|rid| format!("-{rid}")).collect();
    let numbers = format!(
        "UPDATE resources r SET rid = n.rid FROM unnest(ARRAY[{}]) WITH ORDINALITY n (rid, nth)
            JOIN (SELECT id, row_number() OVER (ORDER BY created_at, id) FROM resources) o ON o.row_number = n.nth
            WHERE r.id = o.id",
        numbers.join(", ")
    );
    let Db::Postgres(pool) = &app.coffer.db else { panic!("PostgreSQL") };
    let phrases = "UPDATE resources SET fold_body = fold_body || ' amber lantern'
        WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) - 1 AS nth FROM resources) o
            WHERE nth % 6 <> 0 OR nth % 96 = 0)";
    for sql in [
        "ALTER TABLE resources ALTER COLUMN rid DROP IDENTITY",
        &numbers,
        "UPDATE resources SET rid = -rid",
        phrases,
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&**pool).await.expect("a sample");
    }
    let expected: Vec<Uuid> = sqlx::query_scalar(MATCHES).fetch_all(&**pool).await.expect("matches");
    let params = ListParams { q: "\"amber lantern\"".to_owned(), ..ListParams::default() };
    let found = ids(&walk(&app, &ada, params, usize::MAX).await);
    let set = |ids: &[Uuid]| ids.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(set(&found[..300]), set(&expected[..300]));
    assert_eq!(found[300..], expected[300..]);
}

// Of few matches all are read, in any order; of more than are ranked, the latest.
#[tokio::test]
async fn a_phrase_that_the_sample_has_not_is_found_whole() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.has_account("ada", Role::Member).await;
    let ada = app.viewer("ada").await;
    let Db::Sqlite { write, .. } = &app.coffer.db else { panic!("SQLite") };
    app.coffer.library.resources.seed(&ada, 1, |_| ()).await.expect("an entry");
    sqlx::query("UPDATE resources SET rid = 59000").execute(&**write).await.expect("a large number");
    app.coffer.library.resources.seed(&ada, 700, |_| ()).await.expect("a library");
    let sampled: Vec<String> = store::numbers(59_700).map(|rid| rid.to_string()).collect();
    for (phrase, matches) in [("xylem quoin", 5), ("gneiss isthmus", 350)] {
        let write_phrases = format!(
            "UPDATE resources SET fold_body = fold_body || ' {phrase}' WHERE rid IN
                (SELECT rid FROM resources WHERE rid NOT IN ({}) ORDER BY rid LIMIT {matches})",
            sampled.join(", ")
        );
        sqlx::query(AssertSqlSafe(write_phrases)).execute(&**write).await.expect("phrases");
        let latest_first =
            format!("SELECT id FROM resources WHERE fold_body LIKE '%{phrase}%' ORDER BY rid DESC");
        let expected: Vec<Uuid> =
            sqlx::query_scalar(AssertSqlSafe(latest_first)).fetch_all(&**write).await.expect("matches");
        assert_eq!(expected.len(), matches);
        let params = ListParams { q: format!("\"{phrase}\""), ..ListParams::default() };
        let found = ids(&walk(&app, &ada, params, usize::MAX).await);
        let set = |ids: &[Uuid]| ids.iter().copied().collect::<BTreeSet<_>>();
        let ranked = matches.min(300);
        assert_eq!(set(&found[..ranked]), set(&expected[..ranked]), "{phrase}");
        assert_eq!((found.len(), set(&found)), (matches, set(&expected)), "{phrase}");
    }
}

async fn rows(db: &Db, statement: store::Statement) -> Vec<Uuid> {
    let Db::Sqlite { read, .. } = db else { panic!("SQLite") };
    let query =
        statement.values.into_iter().fold(sqlx::query_as(AssertSqlSafe(statement.sql)), |query, value| {
            match value {
                coffer::db::Value::Text(text) => query.bind(text),
                coffer::db::Value::Id(id) => query.bind(id),
                coffer::db::Value::At(at) => query.bind(at),
                coffer::db::Value::Int(int) => query.bind(int),
            }
        });
    let hits: Vec<Hit> = query.fetch_all(read.executor()).await.expect("rows");
    ids(&hits)
}
