//! The counts beside the tags agree with a full count, whatever was done to the entries; `coffer doctor` finds and mends
//! those that don't.

use std::collections::BTreeMap;

use coffer::db::{Db, Opening};
use coffer::identity::RequestMeta;
use coffer::identity::Viewer;
use coffer::resources::bulk::{BulkChange, Respelling, Retag};
use coffer::resources::import::File;
use coffer::resources::import::choices::Choices;
use coffer::resources::listing::ListParams;
use coffer::resources::retag::TagWish;
use coffer::resources::store::tags::count_miscounted;
use coffer::resources::{Change, Draft, Precondition, Resource, TRASH_LIFE, Via, Visibility};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::startup::Place;
use crate::support::app::App;
use crate::support::on_both_engines;
use crate::support::postgres::fresh_database;

const TAGS: [&str; 6] = ["sea", "sea/tides", "Moon", "star", "wind", "work/rust"];
const OPERATIONS: usize = 150;
/// The counts are compared after each so many.
const EVERY: usize = 15;

/// The same seed makes the same library.
struct Numbers(StdRng);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }
}

struct Library<'a> {
    app: &'a App,
    owner: Viewer,
    numbers: Numbers,
}

impl Library<'_> {
    fn tags(&mut self) -> Vec<String> {
        TAGS.iter().filter(|_| self.numbers.below(3) == 0).map(|tag| (*tag).to_owned()).collect()
    }

    fn tag(&mut self) -> String {
        TAGS[self.numbers.below(TAGS.len())].to_owned()
    }

    fn visibility(&mut self) -> Visibility {
        [Visibility::Private, Visibility::Members, Visibility::Public][self.numbers.below(3)]
    }

    async fn entries(&self, state: &str) -> Vec<Resource> {
        let params = ListParams {
            mine: "true".into(),
            state: state.into(),
            limit: "200".into(),
            ..ListParams::default()
        };
        let list = self.app.coffer.library.resources.list(&self.owner, &params).await.expect("a list");
        list.hits.iter().map(|hit| hit.resource.clone()).collect()
    }

    async fn some(&mut self, state: &str) -> Vec<Resource> {
        let entries = self.entries(state).await;
        entries.into_iter().filter(|_| self.numbers.below(3) == 0).collect()
    }

    /// One thing that people do, by chance; what is refused changes nothing.
    async fn does_something(&mut self, number: usize) {
        let resources = &self.app.coffer.library.resources;
        match self.numbers.below(12) {
            0..=3 => {
                let draft = Draft {
                    title: format!("Entry {number}"),
                    tags: self.tags(),
                    visibility: self.visibility(),
                    ..Draft::default()
                };
                resources.create(&self.owner, &draft, Via::Web).await.expect("an entry");
            }
            4 | 5 => {
                let change = Change {
                    tags: (self.numbers.below(2) == 0).then(|| self.tags()),
                    visibility: (self.numbers.below(2) == 0).then(|| self.visibility()),
                    ..Change::default()
                };
                if let Some(entry) = self.some("all").await.first() {
                    let _ =
                        resources.update(&self.owner, entry.id, &Precondition::None, change, Via::Web).await;
                }
            }
            6 => {
                for entry in self.some("active").await.iter().take(2) {
                    resources
                        .trash(&self.owner, entry.id, &Precondition::None)
                        .await
                        .expect("it is in the trash");
                }
            }
            7 => {
                for entry in self.some("trash").await.iter().take(2) {
                    let _ = resources.restore(&self.owner, entry.id, &Precondition::None).await;
                }
            }
            8 => {
                for entry in self.some("trash").await.iter().take(1) {
                    resources.delete(&self.owner, entry.id, &Precondition::None).await.expect("it is gone");
                }
            }
            9 => self.imports(number).await,
            10 => self.renames().await,
            _ => self.changes_many().await,
        }
    }

    async fn imports(&mut self, number: usize) {
        let folder = self.tag();
        let link =
            |one| format!("<DT><A HREF=\"https://example.org/{}\" TAGS=\"{folder}\">Link</A>\n", one % 40);
        let links = (number..number + 4).map(link).collect::<Vec<_>>().concat();
        let text = format!("<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p>\n{links}</DL>\n");
        let choices = Choices { visibility: self.visibility(), ..Choices::default() };
        let file = File { name: "a.html", bytes: text.into(), choices };
        self.app.coffer.library.resources.import(&self.owner, file, |_, _| ()).await.expect("they come in");
    }

    async fn renames(&mut self) {
        let wish = TagWish {
            from: vec![self.tag()],
            to: (self.numbers.below(3) > 0).then(|| self.tag()),
            below: self.numbers.below(2) == 0,
        };
        if let Ok(plan) = self.app.coffer.library.resources.plan_tags(&self.owner, &wish).await {
            self.carries_out(&plan.change, &plan.ids).await;
        }
    }

    async fn changes_many(&mut self) {
        let change = match self.numbers.below(7) {
            0 => BulkChange::AddTags(self.tags()),
            1 => BulkChange::RemoveTags(self.tags()),
            2 => BulkChange::Retag(vec![Retag { from: "sea".into(), to: Some(self.tag()) }]),
            3 => BulkChange::Visibility(self.visibility()),
            4 => BulkChange::Trash,
            5 => BulkChange::Restore,
            _ => BulkChange::Respell(vec![Respelling { from: "Moon".into(), to: "moon".into() }]),
        };
        let ids: Vec<_> = self.some("all").await.iter().map(|entry| entry.id).collect();
        self.carries_out(&change, &ids).await;
    }

    async fn carries_out(&mut self, change: &BulkChange, ids: &[uuid::Uuid]) {
        let resources = &self.app.coffer.library.resources;
        let Ok(id) = resources.begin_bulk(&self.owner, change, ids).await else { return };
        resources.run_bulk(id).await.expect("it is carried out");
        if self.numbers.below(2) == 0 {
            resources.begin_undo(&self.owner, id).await.expect("it can be undone");
            resources.run_bulk(id).await.expect("it is undone");
        }
    }
}

async fn wrong(db: &Db) -> i64 {
    count_miscounted(&mut db.begin_reading().await.expect("a transaction")).await.expect("a count")
}

/// Counted by hand from all that this viewer sees.
async fn counted(app: &App, viewer: &Viewer) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    let mut params = ListParams { limit: "200".into(), ..ListParams::default() };
    loop {
        let page = app.coffer.library.resources.list(viewer, &params).await.expect("a page");
        for name in page.hits.iter().flat_map(|hit| &hit.resource.tags.0) {
            *counts.entry(name.to_lowercase()).or_default() += 1;
        }
        match &page.next {
            Some(next) => params.cursor.clone_from(next),
            None => return counts,
        }
    }
}

async fn agree(app: &App, after: usize) {
    assert_eq!(wrong(&app.coffer.db).await, 0, "wrong counts after {after} changes");
    for name in ["ada", "eve", "visitor"] {
        let viewer = app.viewer(name).await;
        let tags = app.coffer.library.resources.tags(&viewer).await.expect("tags");
        let shown: BTreeMap<String, i64> =
            tags.into_iter().map(|tag| (tag.name.to_lowercase(), tag.count)).collect();
        assert_eq!(shown, counted(app, &viewer).await, "{name} after {after} changes");
    }
}

on_both_engines!(counts_agree_with_a_full_count_after_any_changes);
async fn counts_agree_with_a_full_count_after_any_changes(app: App) {
    let (_ada, _eve) = (app.signed_in("ada").await, app.signed_in("eve").await);
    let mut libraries = Vec::new();
    for (name, seed) in [("ada", 7), ("eve", 11)] {
        libraries.push(Library {
            app: &app,
            owner: app.viewer(name).await,
            numbers: Numbers(StdRng::seed_from_u64(seed)),
        });
    }
    for number in 0..OPERATIONS {
        for library in &mut libraries {
            library.does_something(number).await;
        }
        if number % EVERY == EVERY - 1 {
            agree(&app, number).await;
        }
    }
    let resources = &app.coffer.library.resources;
    resources.empty_trash(&libraries[0].owner).await.expect("an empty trash");
    app.later(TRASH_LIFE * 2);
    resources.empty_old_trash().await.expect("no old trash");
    agree(&app, OPERATIONS).await;
    assert!(!resources.tags(&libraries[0].owner).await.expect("tags").is_empty(), "something was counted");
    app.coffer
        .accounts
        .delete_own(&libraries[1].owner, "eve", &RequestMeta::default())
        .await
        .expect("she leaves");
    agree(&app, OPERATIONS + 1).await;
}

async fn spoil(url: &str) {
    const SQL: &str = "UPDATE tags SET public_count = 5, private_count = 0";
    let db = Db::open(url, 1).await.expect("the database");
    let mut tx = db.begin().await.expect("a transaction");
    let spoiled = match tx.conn() {
        coffer::db::Engine::Postgres(conn) => sqlx::query(SQL).execute(conn).await.map(drop),
        coffer::db::Engine::Sqlite(conn) => sqlx::query(SQL).execute(conn).await.map(drop),
    };
    spoiled.expect("they are wrong");
    tx.commit().await.expect("they stay");
    db.close().await;
}

#[tokio::test]
async fn the_doctor_finds_and_mends_wrong_counts() {
    let place = Place::new();
    let database =
        fresh_database(async |url: &str| Db::open(url, 2).await.expect("a schema").close().await).await;
    let file = format!("sqlite:{}", place.path("data/coffer.db"));
    for url in [database.url(), &file] {
        let variables = [("COFFER_DATABASE_URL", url)];
        place.done(&["seed", "--count=20"], &variables);
        assert!(place.done(&["doctor"], &variables).contains("their counts match"));
        spoil(url).await;
        let said = place.run(&["doctor"], &variables);
        assert!(String::from_utf8_lossy(&said.stdout).contains("FAIL  tags"), "{said:?}");
        let said = place.done(&["doctor", "--repair"], &variables);
        assert!(said.contains("a wrong count, now fixed") && said.contains("their counts match"), "{said}");
        let db = Db::open_as(url, 1, Opening::Existing).await.expect("the database");
        assert_eq!(wrong(&db).await, 0);
        db.close().await;
    }
}
