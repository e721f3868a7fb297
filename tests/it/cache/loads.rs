//! Loads: one for all who ask, overtaken by writes, cancelled, panicking, failing.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use coffer::db::Db;
use coffer::error::Error;
use tokio::sync::Notify;

use super::{NUMBER, Number, SCOPES, Truth, key, settled, touch};
use crate::support::app::{App, Engine};
use crate::support::on_both_engines;
use crate::support::wait::eventually;

/// A load that says when it has begun and ends when it is told.
#[derive(Clone, Default)]
struct Slow {
    begun: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Slow {
    async fn load(self, value: u64) -> Result<Option<Number>, Error> {
        self.begun.notify_one();
        self.go_on.notified().await;
        Ok(Some(Number(value)))
    }
}

async fn get(app: &App, load: impl Future<Output = Result<Option<Number>, Error>> + Send + 'static) -> u64 {
    let got = app.coffer.cache.get(&NUMBER, key(1), SCOPES, |_| load).await;
    got.expect("an answer").expect("a number").0
}

on_both_engines!(a_thousand_who_ask_cause_one_load);
async fn a_thousand_who_ask_cause_one_load(app: App) {
    let truth = Truth::default();
    let reads = (0..1000).map(|_| {
        let (truth, cache) = (truth.clone(), app.coffer.cache.clone());
        tokio::spawn(async move { truth.read(&cache, 1).await })
    });
    for read in reads.collect::<Vec<_>>() {
        read.await.expect("an answer");
    }
    assert_eq!(truth.loads(), 1);
}

// The old value was read before the write: it must reach only readers from before the write.
on_both_engines!(a_load_that_a_write_overtakes_is_kept_nowhere);
async fn a_load_that_a_write_overtakes_is_kept_nowhere(app: App) {
    overtaken(&app).await;
}

#[tokio::test]
async fn a_load_that_a_write_overtakes_is_kept_nowhere_with_redis() {
    let app = App::with_redis(Engine::Postgres).await;
    settled(&app).await;
    overtaken(&app).await;
    app.coffer.cache.clear_memory();
    assert_eq!(get(&app, async { Ok(Some(Number(3))) }).await, 3, "the old one is not in Redis either");
}

async fn overtaken(app: &App) {
    let slow = Slow::default();
    let first = get(app, slow.clone().load(1));
    let write = async {
        slow.begun.notified().await;
        touch(&app.coffer.cache).await;
        let second = get(app, async { Ok(Some(Number(2))) }).await;
        slow.go_on.notify_one();
        second
    };
    let (first, second) = tokio::join!(first, write);
    assert_eq!((first, second), (1, 2), "a read after the write does not join the older load");
    let third = get(app, async { Ok(Some(Number(3))) }).await;
    assert!(third == 2 || third == 3, "the older load is served again");
    touch(&app.coffer.cache).await;
}

on_both_engines!(a_load_goes_on_when_its_first_reader_goes_away);
async fn a_load_goes_on_when_its_first_reader_goes_away(app: App) {
    let slow = Slow::default();
    tokio::select! {
        _ = get(&app, slow.clone().load(5)) => panic!("it was not told to go on"),
        () = slow.begun.notified() => {}
    }
    let (second, ()) = tokio::join!(get(&app, pending()), async { slow.go_on.notify_one() });
    assert_eq!(second, 5);
}

/// They are told to try again; then it is there.
#[tokio::test]
async fn a_load_that_outlives_its_callers_patience_is_kept_when_it_ends() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let slow = Slow::default();
    let impatient = app.coffer.cache.get(&NUMBER, key(1), SCOPES, |_| slow.clone().load(5));
    assert!(matches!(impatient.await, Err(Error::Busy)));
    slow.go_on.notify_one();
    let kept = eventually(super::LIMIT, async || {
        let fails = async { Err(Error::NotFound) };
        match app.coffer.cache.get(&NUMBER, key(1), SCOPES, |_| fails).await {
            Ok(Some(number)) if *number == Number(5) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    kept.await.expect("the load's answer");
}

/// Counts to this number in SQL, which takes SQLite its time.
async fn counts(db: Db, to: i64) -> Result<Option<Number>, Error> {
    const SQL: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
        SELECT COUNT(*) FROM n";
    let Db::Sqlite { read, .. } = db else { panic!("SQLite") };
    let count: i64 = sqlx::query_scalar(SQL).bind(to).fetch_one(read.executor()).await?;
    Ok(Some(Number(count.unsigned_abs())))
}

// No server ends a slow statement of SQLite's. How long one takes depends on the machine's other work, so longer ones
// are tried until one outlives its readers.
#[tokio::test]
async fn a_statement_that_outlives_its_readers_is_kept_when_it_ends() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let cache = &app.coffer.cache;
    let mut power = 20;
    loop {
        let slow = counts(app.coffer.db.clone(), 1 << power);
        match cache.get(&NUMBER, key(power), SCOPES, |_| slow).await {
            Ok(_) => power += 1,
            Err(Error::Busy) => break,
            Err(other) => panic!("{other:?}"),
        }
    }
    let kept = eventually(super::LIMIT * 3, async || {
        let fails = async { Err(Error::NotFound) };
        let found = cache.get(&NUMBER, key(power), SCOPES, |_| fails).await;
        if let Ok(Some(number)) = found { Ok(number.0) } else { Err(format!("{found:?}")) }
    });
    assert_eq!(kept.await.expect("the load's answer"), 1 << power);
}

on_both_engines!(a_load_that_panics_or_fails_releases_all_who_wait);
async fn a_load_that_panics_or_fails_releases_all_who_wait(app: App) {
    let cache = &app.coffer.cache;
    let panics = cache.get(&NUMBER, key(1), SCOPES, |_| async { panic!("as a test does") });
    assert!(matches!(panics.await, Err(Error::Internal(_))));
    let fails = cache.get(&NUMBER, key(1), SCOPES, |_| async { Err(Error::Unavailable("away".into())) });
    assert!(matches!(fails.await, Err(Error::Unavailable(_))));
    assert_eq!(get(&app, async { Ok(Some(Number(1))) }).await, 1, "nothing of it is kept");
}

on_both_engines!(what_is_not_there_is_asked_for_again_soon);
async fn what_is_not_there_is_asked_for_again_soon(app: App) {
    settled(&app).await;
    let cache = &app.coffer.cache;
    let loads = AtomicU64::new(0);
    let none = || {
        cache.get(&NUMBER, key(1), SCOPES, |_| {
            loads.fetch_add(1, Ordering::SeqCst);
            async { Ok(None) }
        })
    };
    for _ in 0..3 {
        assert_eq!(none().await.expect("an answer"), None);
    }
    assert_eq!(loads.load(Ordering::SeqCst), 1);
    app.later(Duration::from_secs(6));
    assert_eq!(none().await.expect("an answer"), None);
    assert_eq!(loads.load(Ordering::SeqCst), 2);
    touch(cache).await;
    assert_eq!(get(&app, async { Ok(Some(Number(4))) }).await, 4, "a write ends it at once");
}

#[tokio::test]
async fn time_ends_what_no_write_has_ended() {
    let app = App::with(Engine::Sqlite, &[]).await;
    settled(&app).await;
    assert_eq!(get(&app, async { Ok(Some(Number(1))) }).await, 1);
    app.later(Duration::from_secs(50));
    settled(&app).await;
    assert_eq!(get(&app, async { Ok(Some(Number(2))) }).await, 1);
    app.later(Duration::from_secs(20));
    assert_eq!(get(&app, async { Ok(Some(Number(2))) }).await, 2);
}

// Only while the database fails, only what no write has touched, only for so long; and it says so.
#[tokio::test]
async fn a_failing_database_is_bridged_with_what_no_write_has_touched() {
    let app = App::with(Engine::Sqlite, &[]).await;
    settled(&app).await;
    let away = || async { Err(Error::Unavailable("away".into())) };
    assert_eq!(get(&app, async { Ok(Some(Number(1))) }).await, 1);
    app.later(Duration::from_mins(2));
    assert_eq!(get(&app, away()).await, 1);
    let stale = [("cache", "any"), ("outcome", "stale")];
    let served = app.scraped("coffer_cache_requests_total", &stale);
    assert!((served - 1.0).abs() < 0.1, "{served}");
    app.later(Duration::from_mins(10));
    assert!(app.coffer.cache.get(&NUMBER, key(1), SCOPES, |_| away()).await.is_err(), "its window is over");
    assert_eq!(get(&app, async { Ok(Some(Number(2))) }).await, 2);
    app.later(Duration::from_mins(2));
    touch(&app.coffer.cache).await;
    assert!(
        app.coffer.cache.get(&NUMBER, key(1), SCOPES, |_| away()).await.is_err(),
        "a write has touched it"
    );
}

/// A reader with an expired entry does not wait for a slow database.
#[tokio::test]
async fn a_slow_database_is_not_waited_for_while_something_older_will_do() {
    let app = App::with(Engine::Sqlite, &[]).await;
    assert_eq!(get(&app, async { Ok(Some(Number(1))) }).await, 1);
    app.later(Duration::from_secs(90));
    let slow = Slow::default();
    let asked = Instant::now();
    assert_eq!(get(&app, slow.clone().load(2)).await, 1);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    slow.go_on.notify_one();
}

/// Bytes that memory may be over its capacity.
const SLACK: u64 = 1 << 20;

/// A key that is used again and again, with values of any size, stays within the bound.
#[tokio::test]
async fn memory_stays_within_its_bound() {
    let app = App::with(Engine::Sqlite, &["--cache-memory=1"]).await;
    let cache = &app.coffer.cache;
    let until = Instant::now() + super::long_or(Duration::from_mins(30), Duration::from_secs(2));
    let mut round = 0_u64;
    while Instant::now() < until {
        for id in 0..=255 {
            let id = [id, u8::try_from(round % 8).unwrap(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            let length = usize::try_from((round * 7919 + u64::from(id[0]) * 31) % 20_000).unwrap();
            let load = |_| async move { Ok(Some(Text("x".repeat(length)))) };
            let text = cache.get(&TEXT, coffer::cache::Key::public(id), SCOPES, load).await;
            text.expect("an answer").expect("a text");
        }
        touch(cache).await;
        round += 1;
        let memory = cache.occupancy();
        assert!(memory.bytes <= memory.capacity + SLACK, "{memory:?} in round {round}");
    }
    assert!(cache.occupancy().evictions > 0, "some had to go");
}

static TEXT: coffer::cache::Kind<Text> = coffer::cache::Kind {
    name: "page",
    schema: 1000,
    ttl: super::MINUTE,
    is_shared: false,
    is_composed: false,
    value: std::marker::PhantomData,
};

#[derive(serde::Deserialize, serde::Serialize)]
struct Text(String);

impl coffer::cache::Cached for Text {
    fn weight(&self) -> usize {
        self.0.len()
    }

    fn is_for(&self, _: Option<uuid::Uuid>) -> bool {
        true
    }
}
