//! Both engines keep the plan of what is found by keys. PostgreSQL plans a search for its words.

use coffer::db::Db;
use coffer::identity::{Role, Viewer};
use coffer::resources::listing::ListParams;
use coffer::resources::store;
use coffer::web::cursor::CursorKey;
use serde_json::json;
use sqlx::{AssertSqlSafe, Row as _};

use crate::support::app::{App, Engine};

/// PostgreSQL tries plans for the values this often before it compares them with one for all.
const TRIES: usize = 6;

#[derive(Debug, sqlx::FromRow)]
struct Kept {
    statement: String,
    generic_plans: i64,
}

/// What the only connection keeps.
async fn kept(db: &Db) -> Vec<Kept> {
    const SQL: &str = "SELECT statement, generic_plans FROM pg_prepared_statements";
    let Db::Postgres(pool) = db else { panic!("PostgreSQL") };
    sqlx::query_as(SQL).fetch_all(pool.executor()).await.expect("its statements")
}

async fn list(db: &Db, viewer: &Viewer, q: &str) -> usize {
    let asked = ListParams { q: q.to_owned(), sort: "newest".to_owned(), ..ListParams::default() };
    let search = asked.search(&CursorKey::new([7; 32])).expect("a search");
    store::list::page(db, viewer, &search).await.expect("a page").hits.len()
}

#[tokio::test]
async fn statements_by_key_keep_one_plan_and_searches_get_their_own() {
    let app = App::with(Engine::Postgres, &[]).await;
    let entry = app.signed_in("ada").await.saves(json!({ "title": "Tide tables" })).await;
    let ada = app.viewer("ada").await;
    let url = app.settings().iter().find_map(|setting| setting.strip_prefix("--database-url="));
    let db = Db::open(url.expect("its address"), 1).await.expect("the database");
    for _ in 0..TRIES {
        assert!(store::find(&db, entry.id.parse().expect("an id")).await.expect("an answer").is_some());
        assert_eq!(list(&db, &ada, "").await, 1);
        assert_eq!(list(&db, &ada, "tide").await, 1);
        assert_eq!(list(&db, &ada, "is:pinned").await, 0);
    }
    let kept = kept(&db).await;
    let plans_of = |part: &str| {
        let one = kept.iter().find(|kept| kept.statement.contains(part));
        one.unwrap_or_else(|| panic!("{part:?} is kept: {kept:#?}")).generic_plans
    };
    assert!(plans_of(store::FIND) > 0 && plans_of("UNION") > 0, "{kept:#?}");
    for searched in ["tsquery", "r.pinned AND", "AND (r.pinned)"] {
        assert!(!kept.iter().any(|kept| kept.statement.contains(searched)), "{searched}: {kept:#?}");
    }
}

/// SQLite would plan what is found by a key anew for each key, if it had samples of it. By those of other indexes it knows
/// whose entries are many.
#[tokio::test]
async fn sqlite_has_samples_of_no_key() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.has_account("owner", Role::Member).await;
    let owner = app.viewer("owner").await;
    app.coffer.library.resources.seed(&owner, 300, |_| ()).await.expect("a seeded library");
    let Db::Sqlite { read, .. } = &app.coffer.db else { panic!("SQLite") };
    let sampled = sqlx::query_scalar("SELECT DISTINCT idx FROM sqlite_stat4").fetch_all(read.executor());
    let sampled: Vec<String> = sampled.await.expect("the indexes");
    assert!(sampled.iter().any(|index| index == "resources_mine_created"), "{sampled:?}");
    assert!(!sampled.iter().any(|index| index.starts_with("sqlite_autoindex")), "{sampled:?}");
}

/// One person has nearly all entries. A plan that is kept for everyone must not read them all to find another person's few.
#[tokio::test]
async fn a_plan_for_all_people_reads_the_entries_of_one() {
    let app = App::with(Engine::Postgres, &[]).await;
    app.has_account("owner", Role::Member).await;
    let owner = app.viewer("owner").await;
    app.coffer.library.resources.seed(&owner, 3_000, |_| ()).await.expect("a seeded library");
    let url = app.settings().iter().find_map(|setting| setting.strip_prefix("--database-url="));
    let db = Db::open(url.expect("its address"), 1).await.expect("the database");
    let Db::Postgres(pool) = &db else { panic!("PostgreSQL") };
    let asked = ListParams { mine: "true".to_owned(), ..ListParams::default() };
    let search = asked.search(&CursorKey::new([7; 32])).expect("a search");
    let list = store::list::statement(&db, &owner, &search).await.expect("a statement");
    for (what, sql, values) in
        [("newest titles", store::NEWEST_TITLES, 1), ("an own list", list.sql.as_str(), list.values.len())]
    {
        let nulls = vec!["NULL"; values].join(", ");
        let script = format!(
            "ANALYZE resources; SET plan_cache_mode = force_generic_plan; PREPARE asked AS {sql};
            EXPLAIN EXECUTE asked ({nulls})"
        );
        let rows = sqlx::raw_sql(AssertSqlSafe(script)).fetch_all(pool.executor()).await.expect("a plan");
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("resources_mine_created"), "{what}:\n{plan}");
        sqlx::raw_sql("DEALLOCATE asked").execute(pool.executor()).await.expect("forgotten");
    }
}
