//! The statements that people wait for go along indexes, on both engines, in a library of thousands.

use std::time::Duration;

use coffer::accounts::actions::{self, ACCOUNT_DELETE};
use coffer::identity::{RequestMeta, Role, Viewer};

use coffer::accounts::store as accounts;
use coffer::audit::reader::Filter;
use coffer::audit::{Event, store as audit};
use coffer::cache::outbox;
use coffer::db::{Db, Value};
use coffer::mail::store as letters;
use coffer::refresh::store as refresh;
use coffer::resources::changes::store as changes;
use coffer::resources::import::{Holding, held};
use coffer::resources::listing::{ListParams, Position, Sort};
use coffer::resources::public::store as public;
use coffer::resources::searches::store as searches;
use coffer::resources::store::{self, Size, list};
use coffer::sessions::store as sessions;
use coffer::shares::feeds::store as feeds;
use coffer::shares::store as shares;
use coffer::timestamp::Timestamp;
use coffer::tokens::store as tokens;
use coffer::web::cursor::CursorKey;
use coffer::webhooks::store as webhooks;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::support::app::{App, Engine};
use crate::support::on_both_engines;

/// Tables that grow with the library or its people: never read from end to end.
const LARGE: [&str; 9] = [
    "changes", "resources", "resource_tags", "tags", "revisions", "users", "sessions", "outbox",
    "audit_events",
];

async fn library(app: &App) {
    // First, so that the statistics after seeding include the people.
    crowd(app).await;
    for (name, count) in [("owner", 4_000), ("other", 1_000)] {
        app.has_account(name, Role::Member).await;
        app.coffer
            .library
            .resources
            .seed(&app.viewer(name).await, count, |_| ())
            .await
            .expect("a seeded library");
    }
}

/// How the database would run this, a step a line.
async fn plan(db: &Db, sql: &str, values: &[Value]) -> Vec<String> {
    macro_rules! explained {
        ($prefix:literal, $pool:expr, $column:expr) => {{
            let sql = format!("{} {sql}", $prefix);
            let query = values.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, value| match value {
                Value::Text(text) => query.bind(text),
                Value::Id(id) => query.bind(id),
                Value::At(at) => query.bind(at),
                Value::Int(int) => query.bind(int),
            });
            let rows = query.fetch_all($pool).await.expect("the statement is understood");
            rows.iter().map(|row| sqlx::Row::get::<String, _>(row, $column)).collect()
        }};
    }
    match db {
        Db::Postgres(pool) => {
            // Reading a library of only thousands whole can look cheaper.
            let mut tx = pool.begin().await.expect("a transaction");
            sqlx::query("SET LOCAL enable_seqscan = off").execute(&mut *tx).await.expect("a setting");
            explained!("EXPLAIN", &mut *tx, 0)
        }
        Db::Sqlite { read, .. } => explained!("EXPLAIN QUERY PLAN", read.executor(), "detail"),
    }
}

/// How PostgreSQL runs this for any values, as it does with what it keeps prepared; the same as [`plan`] on SQLite.
async fn kept_plan(db: &Db, sql: &str, values: &[Value]) -> Vec<String> {
    let Db::Postgres(pool) = db else { return plan(db, sql, values).await };
    let given = values.iter().map(|value| match value {
        Value::Text(text) => ("text", format!("'{text}'")),
        Value::Id(id) => ("uuid", format!("'{id}'")),
        Value::At(at) => ("timestamptz", format!("'{}'", at.rfc3339())),
        Value::Int(int) => ("bigint", int.to_string()),
    });
    let (types, given): (Vec<&str>, Vec<String>) = given.unzip();
    let mut tx = pool.begin().await.expect("a transaction");
    let prepare = format!(
        "SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan; PREPARE kept{} AS {sql}",
        in_brackets(&types.join(", "))
    );
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *tx).await.expect("the statement is understood");
    let explain = format!("EXPLAIN EXECUTE kept{}", in_brackets(&given.join(", ")));
    let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut *tx).await.expect("a plan");
    sqlx::raw_sql("DEALLOCATE kept").execute(&mut *tx).await.expect("it is forgotten");
    rows.iter().map(|row| sqlx::Row::get::<String, _>(row, 0)).collect()
}

fn in_brackets(list: &str) -> String {
    if list.is_empty() { String::new() } else { format!(" ({list})") }
}

/// Steps that read a large table from its beginning to its end.
fn scans(plan: &[String]) -> Vec<&String> {
    let reads_all = |step: &&String| {
        let step = step.trim().trim_start_matches("-> ").trim();
        let postgres = LARGE.iter().any(|table| step.contains(&format!("Seq Scan on {table} ")));
        // Our aliases of tables; `SCAN r USING INDEX` follows the order that is wanted.
        let sqlite =
            ["r", "rt", "t", "u", "v", "users", "sessions", "outbox", "resources", "tags", "audit_events"]
                .iter()
                .any(|name| step == format!("SCAN {name}"));
        postgres || sqlite
    };
    // A statement's own inner list of a few hundred, read to its end, comes last.
    let (last, steps) = plan.split_last().expect("a plan");
    let inner = plan.iter().any(|step| step == "CO-ROUTINE r") && last == "SCAN r";
    if inner { steps } else { plan }.iter().filter(reads_all).collect()
}

#[track_caller]
fn along_indexes(what: &str, plan: &[String], index: &str) {
    assert!(scans(plan).is_empty(), "{what} reads {:?} in\n{}", scans(plan), plan.join("\n"));
    assert!(plan.iter().any(|step| step.contains(index)), "{what} should use {index}:\n{}", plan.join("\n"));
}

on_both_engines!(statements_go_along_indexes);
async fn statements_go_along_indexes(app: App) {
    library(&app).await;
    lists(&app).await;
    searches(&app).await;
    counts(&app).await;
    first_rows(&app).await;
    single_things(&app).await;
    trail(&app).await;
    people(&app).await;
    public_face(&app).await;
}

async fn lists(app: &App) {
    let (db, key) = (&app.coffer.db, CursorKey::new([7; 32]));
    let (owner, id) = (app.viewer("owner").await, Uuid::from_u128(u128::MAX / 2));
    let at = app.now().micros() - 86_400_000_000;
    let asked = |sort: &str, after: Option<Position>| ListParams {
        sort: sort.to_owned(),
        cursor: after.map(|after| key.seal(&after)).unwrap_or_default(),
        ..ListParams::default()
    };
    for (asked, mine, shared) in [
        (asked("newest", None), "resources_mine_created", "resources_shared_created"),
        (asked("oldest", None), "resources_mine_created", "resources_shared_created"),
        (asked("changed", None), "resources_mine_updated", "resources_shared_updated"),
        (asked("title", None), "resources_mine_title", "resources_shared_title"),
        (
            asked("newest", Some(Position::Time(Sort::Newest, at, id))),
            "resources_mine_created",
            "resources_shared_created",
        ),
        (
            asked("oldest", Some(Position::Time(Sort::Oldest, at, id))),
            "resources_mine_created",
            "resources_shared_created",
        ),
        (
            asked("changed", Some(Position::Time(Sort::Changed, at, id))),
            "resources_mine_updated",
            "resources_shared_updated",
        ),
        (
            asked("title", Some(Position::Title("the quiet".into(), id))),
            "resources_mine_title",
            "resources_shared_title",
        ),
    ] {
        let search = asked.search(&key).expect("a search");
        // So few are public that PostgreSQL may sort them by hand; it finds them by an index all the same.
        for (viewer, indexes) in [(&owner, vec![mine, shared]), (&Viewer::Visitor, vec!["resources_"])] {
            let statement = list::statement(db, viewer, &search).await.expect("a statement");
            assert!(statement.has_one_plan, "{asked:?}");
            let kept = kept_plan(db, &statement.sql, &statement.values).await;
            let plan = plan(db, &statement.sql, &statement.values).await;
            for index in indexes {
                along_indexes(&format!("{asked:?}"), &plan, index);
                along_indexes(&format!("{asked:?}, for any values"), &kept, index);
            }
            // SQLite says where it sorts: never a whole partition, only what the limit left.
            let unsorted = plan.windows(2).filter(|steps| steps[0].contains(" r USING INDEX resources_"));
            let cut = unsorted.filter(|steps| steps[1] != "SCAN s").count();
            assert!(cut == 0 || app.engine == Engine::Postgres, "{asked:?}:\n{}", plan.join("\n"));
        }
    }
}

async fn searches(app: &App) {
    let (db, key, owner) = (&app.coffer.db, CursorKey::new([7; 32]), app.viewer("owner").await);
    let full_text = if app.engine == Engine::Sqlite { "VIRTUAL TABLE INDEX" } else { "resources_search" };
    // Its words are common, but few entries have them in a row.
    let phrases = if app.engine == Engine::Sqlite { full_text } else { "resources_pairs" };
    for (query, sort, index) in [
        ("17 ", "", full_text),
        ("17 or 18 ", "", full_text),
        ("\"part 17\" -oslo", "", phrases),
        ("\"quiet harbour\"", "", phrases),
        ("17 tag:lisbon", "", full_text),
        ("tag:lisbon", "", "resource_tags"),
        ("tag:telescope/quiet", "title", "resource_tags"),
        ("site:oslo.example.org", "", "resources_"),
        ("by:other", "", "resources_"),
        ("17 by:other", "", full_text),
        ("is:pinned", "", "resources_"),
        ("is:unread", "", "resources_"),
        ("before:2020-01-01", "", "resources_"),
    ] {
        let asked = ListParams { q: query.to_owned(), sort: sort.to_owned(), ..ListParams::default() };
        let mut search = asked.search(&key).expect("a search");
        store::owners::identify(db, &owner, &mut search.filters).await.expect("ids");
        let statement = list::statement(db, &owner, &search).await.expect("a statement");
        assert!(!statement.has_one_plan, "{query} is planned for its values");
        along_indexes(query, &plan(db, &statement.sql, &statement.values).await, index);
    }
    for sort in ["", "newest"] {
        let asked = ListParams { q: "133".to_owned(), sort: sort.to_owned(), ..ListParams::default() };
        let mut search = asked.search(&key).expect("a search");
        store::parts::widen(db, &mut search.query).await.expect("words");
        assert!(search.query.is_wider(), "other numbers contain it");
        let statement = list::statement(db, &owner, &search).await.expect("a statement");
        along_indexes("a part of words", &plan(db, &statement.sql, &statement.values).await, full_text);
    }
}

/// A page counts its results up to a limit: SQLite makes no list of all matches for that.
async fn counts(app: &App) {
    let (db, key, owner) = (&app.coffer.db, CursorKey::new([7; 32]), app.viewer("owner").await);
    let is_sqlite = app.engine == Engine::Sqlite;
    let full_text = if is_sqlite { "VIRTUAL TABLE INDEX" } else { "resources_" };
    for (query, index) in [
        ("17 ", full_text),
        ("-17", full_text),
        ("quiet -17", full_text),
        ("kind:note", "resources_"),
        ("is:untagged", "resources_untagged"),
    ] {
        let asked = ListParams { q: query.to_owned(), ..ListParams::default() };
        let search = asked.search(&key).expect("a search");
        let statement = store::matching::ids(db, &owner, &search, None, Size::Unknown, " LIMIT 100");
        let plan = plan(db, &statement.sql, &statement.values).await;
        along_indexes(query, &plan, index);
        assert!(!plan.iter().any(|step| step.contains("LIST SUBQUERY")), "{query}:\n{}", plan.join("\n"));
    }
}

/// The partitions of a list are merged as they come, neither sorted nor read to their ends.
async fn first_rows(app: &App) {
    let (db, key, owner) = (&app.coffer.db, CursorKey::new([7; 32]), app.viewer("owner").await);
    for (query, sort) in [("tag:lisbon", "newest"), ("site:example.org", "title"), ("-tag:lisbon", "changed")]
    {
        let asked = ListParams { q: query.to_owned(), sort: sort.to_owned(), ..ListParams::default() };
        let search = asked.search(&key).expect("a search");
        let sizes = store::Sizes { words: Size::Unknown, filters: vec![Size::Many] };
        let first = store::first_rows::counted(db, &owner, &search, &sizes).expect("they are many");
        let plan = plan(db, &first.statement.sql, &first.statement.values).await;
        let merged = if app.engine == Engine::Sqlite { "MERGE (UNION ALL)" } else { "Merge Append" };
        assert!(plan.iter().any(|step| step.contains(merged)), "{query}:\n{}", plan.join("\n"));
        assert!(
            !plan.iter().any(|step| step.contains("Seq Scan on resources")),
            "{query}:\n{}",
            plan.join("\n")
        );
    }
}

async fn single_things(app: &App) {
    let db = &app.coffer.db;
    let (id, now) = (app.viewer("owner").await.id().expect("an account"), app.now());
    let sqlite = app.engine == Engine::Sqlite;
    let text = |text: &str| Value::Text(text.to_owned());
    let saved_searches = if sqlite { "sqlite_autoindex_saved" } else { "saved_searches_owner_id_name_key" };
    let by_id = |table: &str| if sqlite { "SEARCH".to_owned() } else { format!("{table}_pkey") };
    for (what, sql, values, index) in [
        ("find", store::FIND, vec![Value::Id(id)], by_id("resources")),
        ("newest titles", store::NEWEST_TITLES, vec![Value::Id(id)], "resources_mine_created".to_owned()),
        ("trash", store::TRASHED, vec![Value::Id(id)], "resources_trash".to_owned()),
        (
            "changes",
            &changes::after_sql(201),
            vec![Value::Id(id), Value::Int(4_990)],
            "changes_seq".to_owned(),
        ),
        ("tags", store::tags::SEEN_BY_MEMBER, vec![Value::Id(id)], "tags_shared".to_owned()),
        (
            "parts of words",
            store::parts::FIND,
            vec![text("337"), text("338")],
            if sqlite { "word_parts USING PRIMARY KEY" } else { "word_parts_part" }.to_owned(),
        ),
        ("tags for visitors", store::tags::SEEN_BY_VISITOR, vec![], "tags_shared".to_owned()),
        ("revisions", store::REVISIONS, vec![Value::Id(id)], by_id("revisions")),
        ("who is signed in", accounts::ACTIVE, vec![Value::Id(id)], by_id("users")),
        ("who is this", accounts::BY_USERNAME, vec![text("p7")], "users".to_owned()),
        ("second factor", accounts::factor::READ, vec![Value::Id(id)], "users".to_owned()),
        ("whose address is this", accounts::profile::BY_ADDRESS, vec![text("p7")], "users".to_owned()),
        ("which letter is due", letters::DUE, vec![Value::At(now)], "mails_next".to_owned()),
        (
            "which delivery is due",
            webhooks::DUE,
            [vec![Value::At(now)], vec![Value::Id(id); 12]].concat(),
            "webhook_deliveries_due".to_owned(),
        ),
        ("saved searches", searches::OF_USER, vec![Value::Id(id)], saved_searches.to_owned()),
        ("share links of a person", shares::OF_USER, vec![Value::Id(id)], "share_links_owner".to_owned()),
        ("private feeds of a person", feeds::OF_USER, vec![Value::Id(id)], "private_feeds_owner".to_owned()),
        ("sessions of a person", sessions::OF_USER, vec![Value::Id(id)], "sessions_user".to_owned()),
        ("devices", sessions::DEVICES, vec![Value::Id(id), Value::At(now)], "sessions_user".to_owned()),
        (
            "devices that stay",
            sessions::FAMILIES,
            vec![Value::Id(id), Value::At(now)],
            "refresh_families_user".to_owned(),
        ),
        ("what Redis must be told", sessions::REVOCATIONS, vec![Value::Int(1_000)], "outbox".to_owned()),
        ("what Redis was told", sessions::DELETE, vec![Value::Int(10)], "outbox".to_owned()),
        ("what was touched", outbox::ROWS_AFTER, vec![Value::Int(1_000)], "outbox".to_owned()),
        ("what all have heard", outbox::DELETE, vec![Value::Int(10)], "outbox".to_owned()),
    ] {
        along_indexes(what, &plan(db, sql, &values).await, &index);
        along_indexes(&format!("{what}, for any values"), &kept_plan(db, sql, &values).await, &index);
    }
    // These are known by hashes, which no `Value` holds; their text stands for them.
    let hash = if sqlite {
        "x'07070707070707070707070707070707'"
    } else {
        "'\\x07070707070707070707070707070707'::bytea"
    };
    let until = if sqlite { now.micros().to_string() } else { format!("'{}'::timestamptz", now.rfc3339()) };
    let load = sessions::LOAD.replace("$1", hash).replace("$2", &until);
    along_indexes("session", &plan(db, &load, &[]).await, &by_id("sessions"));
    let sign_in = accounts::CREDENTIALS.replace("$2", hash);
    along_indexes("sign in", &plan(db, &sign_in, &[text("p7")]).await, "users");
    let lookup = store::FIND_BY_URL.replace("$2", hash);
    along_indexes("lookup", &plan(db, &lookup, &[Value::Id(id)]).await, "resources_url");
    // Who has no entries yet, as far as the statistics know, may be in the middle of an import.
    let held = format!(
        "SELECT r.id FROM resources r {}",
        held(Holding::Addresses(&[Vec::new()])).replace("$2", hash)
    );
    along_indexes(
        "addresses of a file",
        &plan(db, &held, &[Value::Id(Uuid::from_u128(7))]).await,
        "resources_url",
    );
    for (sql, unique) in [
        (tokens::KNOWN, "api_tokens_token_hash_key"),
        (refresh::ACCESS, "access_hash_key"),
        (shares::OPENED, "share_links_token_hash_key"),
        (feeds::OPENED, "private_feeds_token_hash_key"),
    ] {
        let index = if sqlite { "sqlite_autoindex" } else { unique };
        along_indexes("a token", &plan(db, &sql.replace("$1", hash), &[]).await, index);
    }
}

/// The newest events are the end of the primary key; a filter begins with its own index.
async fn trail(app: &App) {
    let ada = Uuid::from_u128(1_000);
    let by_key = if app.engine == Engine::Sqlite {
        "SEARCH audit_events USING INTEGER PRIMARY KEY"
    } else {
        "audit_events_pkey"
    };
    let before = Filter { before: Some(500), ..Filter::all(51) };
    for (filter, indexes) in [
        (before.clone(), vec![by_key]),
        (Filter { person: Some(ada), ..before.clone() }, vec!["audit_events_actor", "audit_events_target"]),
        (Filter { action: Some(ACCOUNT_DELETE), ..before }, vec!["audit_events_"]),
    ] {
        let (sql, values) = audit::statement(&filter);
        let plan = plan(&app.coffer.db, &sql, &values).await;
        for index in indexes {
            along_indexes(&format!("{filter:?}"), &plan, index);
        }
    }
    along_indexes(
        "verify",
        &plan(&app.coffer.db, audit::AFTER, &[Value::Int(500), Value::Int(1_000)]).await,
        by_key,
    );
}

async fn people(app: &App) {
    let (sql, values) = coffer::accounts::people::store::page_statement("", "p5", 51);
    let plan = plan(&app.coffer.db, &sql, &values).await;
    along_indexes(
        "the people by name",
        &plan,
        if app.engine == Engine::Sqlite { "username_key>" } else { "users_username" },
    );
    along_indexes("when they were last here", &plan, "sessions_user");
}

async fn public_face(app: &App) {
    let (db, owner) = (&app.coffer.db, app.viewer("owner").await.id());
    let store::Statement { sql, values, .. } = public::profile_statement(&Viewer::Visitor, "owner");
    along_indexes("a profile", &plan(db, &sql, &values).await, "resources_shared_owner");
    for (owner, index) in [(None, "resources_shared_"), (owner, "resources_shared_owner")] {
        let store::Statement { sql, values, .. } = public::latest_statement(&Viewer::Visitor, owner);
        along_indexes("a feed", &plan(db, &sql, &values).await, index);
    }
}

/// Enough people and sessions to make an index pay.
async fn crowd(app: &App) {
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    let now = app.now();
    for (n, id) in (0..2_000_u128).map(|n| (n, Uuid::from_u128(n + 1_000))) {
        put_person(&mut tx, id, &format!("p{n}"), now).await.expect("a person and a session");
    }
    for (n, action) in (0..2_000_u128).zip(actions::ALL.iter().cycle()) {
        let event = Event::own(*action, Uuid::from_u128(1_000 + n / 10));
        app.coffer.auth.audit.record(&mut tx, &RequestMeta::default(), &event).await.expect("an event");
    }
    tx.commit().await.expect("they stay");
}

async fn put_person(tx: &mut coffer::db::Tx, id: Uuid, name: &str, now: Timestamp) -> sqlx::Result<()> {
    const PERSON: &str = "INSERT INTO users (id, email, email_key, username, username_key, display_name, role, created_at, updated_at)
        VALUES ($1, $2, $2, $2, $2, $2, 'member', $3, $3)";
    const SESSION: &str = "INSERT INTO sessions (id_hash, user_id, record, created_at, seen_at, expires_at) VALUES ($1, $2, '{}', $3, $3, $4)";
    const WAITING: &str = "INSERT INTO outbox (id, topic, payload, created_at) VALUES ($1, 'cache', 'x', $2)";
    const FAMILY: &str = "INSERT INTO refresh_families (id, user_id, kind, created_at, seen_at, expires_at) VALUES ($1, $1, 'browser', $2, $2, $3)";
    const REFRESH: &str =
        "INSERT INTO refresh_tokens (token_hash, access_hash, family_id, created_at) VALUES ($1, $1, $2, $3)";
    const TOKEN: &str = "INSERT INTO api_tokens (id, user_id, name, token_hash, scopes, created_at, expires_at) VALUES ($2, $2, 'x', $1, '', $3, $3)";
    const SHARE: &str = "INSERT INTO share_links (id, owner_id, token_hash, tag, created_at, expires_at, views) VALUES ($2, $2, $1, 'x', $3, $3, 0)";
    const FEED: &str =
        "INSERT INTO private_feeds (id, owner_id, token_hash, tag, created_at) VALUES ($2, $2, $1, 'x', $3)";
    const TAG: &str = "INSERT INTO tags (id, owner_id, name, folded) VALUES ($1, $1, $2, $2)";
    let hash = [*id.as_bytes(), *id.as_bytes()].concat();
    let later = now.plus(Duration::from_hours(24));
    macro_rules! put {
        ($tx:expr) => {{
            sqlx::query(PERSON).bind(id).bind(name).bind(now).execute($tx.conn()).await?;
            sqlx::query(SESSION)
                .bind(id.as_bytes().to_vec())
                .bind(id)
                .bind(now)
                .bind(later)
                .execute($tx.conn())
                .await?;
            sqlx::query(TAG).bind(id).bind(name).execute($tx.conn()).await?;
            sqlx::query(FAMILY).bind(id).bind(now).bind(later).execute($tx.conn()).await?;
            for sql in [REFRESH, TOKEN, SHARE, FEED] {
                sqlx::query(sql).bind(&hash).bind(id).bind(now).execute($tx.conn()).await?;
            }
            sqlx::query(WAITING).bind(id).bind(now).execute($tx.conn()).await.map(drop)
        }};
    }
    match tx {
        coffer::db::Tx::Postgres(tx) => put!(tx),
        coffer::db::Tx::Sqlite(tx) => put!(tx),
    }
}
