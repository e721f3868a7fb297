//! A walk through every verb that writes: after each, everyone's cached answers are what the database says.

use coffer::accounts::people::{By, Change as Office};
use coffer::cache::{Cache, Capacity, Deps};
use coffer::config::Config;
use coffer::identity::{RequestMeta, Role, Viewer};
use coffer::keys::Keys;
use coffer::resources::import::File;
use coffer::resources::import::choices::Choices;
use coffer::resources::listing::ListParams;
use coffer::resources::public::Selection;
use coffer::resources::{Change, Draft, Kind, Precondition, Resources, Via, Visibility};
use coffer::web::cursor::CursorKey;
use uuid::Uuid;

use crate::support::app::App;
use crate::support::on_both_engines;

/// The same verbs over the same database, with nothing in memory and nothing in Redis: what is true.
fn uncached(app: &App) -> Resources {
    let config =
        Config::parse([format!("--data-dir={}", app.data_dir().display())]).expect("a configuration");
    let keys = Keys::load(config.key_source(), &app.coffer.system).expect("the app's keys");
    let (db, context) = (app.coffer.db.clone(), app.coffer.system.clone());
    let deps = Deps { db: &db, context: &context, redis: None, keys: &keys, metrics: None, kinds: &[] };
    let cache = Cache::new(deps, Capacity { memory: 0, loads: 4 });
    Resources::new(cache, db, context, CursorKey::new(keys.derive("cursor")))
}

fn asked() -> Vec<ListParams> {
    let with =
        |q: &str, sort: &str| ListParams { q: q.to_owned(), sort: sort.to_owned(), ..ListParams::default() };
    vec![with("", ""), with("", "title"), with("pearl", ""), with("tag:sea", ""), with("by:ada", "changed")]
}

fn of(username: &str) -> Selection {
    Selection { username: Some(username.to_owned()), ..Selection::default() }
}

/// Everything that this viewer can read, as text.
async fn everything(resources: &Resources, viewer: &Viewer, ids: &[Uuid]) -> Vec<String> {
    let mut all = Vec::new();
    for id in ids {
        all.push(format!("{:?}", resources.find(viewer, *id).await.ok()));
    }
    for asked in asked() {
        all.push(format!("{:?}", resources.list(viewer, &asked).await.expect("a list").hits));
    }
    all.push(format!("{:?}", resources.tags(viewer).await.expect("tags")));
    for name in ["ada", "eve", "nobody"] {
        let profile = resources.profile(name).await.ok();
        if let Some(profile) = &profile {
            all.push(format!(
                "{:?}",
                resources.public_resources_of(profile, "", "").await.expect("a list").hits
            ));
        }
        all.push(format!("{profile:?} {:?}", resources.feed(&of(name)).await.ok()));
    }
    all.push(format!("{:?}", resources.feed(&Selection::default()).await.expect("a feed")));
    all.push(format!("{:?}", resources.any(viewer).await.expect("whether there is anything")));
    all
}

struct Walk {
    app: App,
    truth: Resources,
    viewers: Vec<Viewer>,
    ids: Vec<Uuid>,
}

impl Walk {
    async fn agrees(&self, after: &str) {
        for viewer in &self.viewers {
            let told = everything(&self.app.coffer.library.resources, viewer, &self.ids).await;
            let truth = everything(&self.truth, viewer, &self.ids).await;
            assert_eq!(told, truth, "after {after}, for {viewer:?}");
        }
    }
}

on_both_engines!(every_write_is_seen_by_everybody);
async fn every_write_is_seen_by_everybody(app: App) {
    for name in ["ada", "eve"] {
        app.has_account(name, Role::Member).await;
    }
    let viewers = vec![app.viewer("ada").await, app.viewer("eve").await, Viewer::Visitor];
    let ada = viewers[0].clone();
    let resources = app.coffer.library.resources.clone();
    let mut walk = Walk { truth: uncached(&app), app, viewers, ids: Vec::new() };
    walk.agrees("nothing").await;

    for visibility in [Visibility::Private, Visibility::Members, Visibility::Public] {
        let draft = Draft {
            kind: Some(Kind::Note),
            title: "Pearl".into(),
            tags: vec!["Sea".into()],
            visibility,
            ..Draft::default()
        };
        let made = resources.create(&ada, &draft, Via::Web).await.expect("a note");
        walk.ids.push(made.id);
        walk.agrees("create").await;
    }
    for id in walk.ids.clone() {
        for visibility in [Visibility::Public, Visibility::Private, Visibility::Members, Visibility::Public] {
            let change = Change { visibility: Some(visibility), ..Change::default() };
            resources.update(&ada, id, &Precondition::None, change, Via::Web).await.expect("a change");
            walk.agrees("a change of visibility").await;
        }
        let change =
            Change { title: Some("A pearl".into()), tags: Some(vec!["Shore".into()]), ..Change::default() };
        resources.update(&ada, id, &Precondition::None, change, Via::Web).await.expect("a change");
        walk.agrees("a change of words").await;
        resources.restore_revision(&ada, id, 1, &Precondition::None).await.expect("an old version");
        walk.agrees("an old version").await;
    }
    let id = walk.ids[1];
    resources.trash(&ada, id, &Precondition::None).await.expect("it is hers");
    walk.agrees("trash").await;
    resources.restore(&ada, id, &Precondition::None).await.expect("it is hers");
    walk.agrees("restore").await;
    resources.trash(&ada, id, &Precondition::None).await.expect("it is hers");
    resources.delete(&ada, id, &Precondition::None).await.expect("it is in the trash");
    walk.agrees("delete").await;
    resources.trash(&ada, walk.ids[2], &Precondition::None).await.expect("it is hers");
    walk.agrees("trash again").await;
    walk.app.later(coffer::resources::TRASH_LIFE * 2);
    assert_eq!(resources.empty_old_trash().await.expect("it empties"), 1);
    walk.agrees("the trash emptied").await;

    let file = "<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><DT><A HREF=\"https://example.org/pearl\" TAGS=\"sea\">Pearl</A></DL>";
    let file = File {
        name: "b.html",
        bytes: file.into(),
        choices: Choices { visibility: Visibility::Public, ..Choices::default() },
    };
    resources.import(&ada, file, |_, _| ()).await.expect("an import");
    walk.agrees("an import").await;
    resources.seed(&ada, 30, |_| ()).await.expect("made-up resources");
    walk.agrees("made-up resources").await;
    walk.app.coffer.accounts.rename(&ada, "Ada Lovelace").await.expect("a name");
    walk.agrees("a new name").await;
    let origin = RequestMeta::default();
    let id = ada.id().expect("an account");
    for (disabled, role) in [(true, None), (false, None), (true, Some(Role::Admin)), (false, None)] {
        let change = Office { disabled: Some(disabled), role };
        walk.app.coffer.people.change(By::Operator, id, change, &origin).await.expect("a change");
        assert_eq!(resources.profile("ada").await.is_ok(), !disabled);
        walk.agrees("an account disabled or enabled").await;
    }
    walk.app.coffer.accounts.delete_own(&ada, "ada", &origin).await.expect("she goes");
    walk.viewers.remove(0);
    walk.agrees("the end of an account").await;
}

/// Statements that change what is cached stand where only a transaction that names its scopes can run them.
#[test]
fn what_is_cached_is_changed_by_transactions_that_say_so() {
    let sources = [
        include_str!("../../../src/resources/store/write.rs"),
        include_str!("../../../src/resources/import/store.rs"),
        include_str!("../../../src/resources/bulk/store/entries.rs"),
    ];
    for source in sources {
        assert!(!source.contains("tx: &mut Tx"), "the stores of the library take a `Write`");
    }
    let stores = [
        "src/resources/store/write.rs",
        "src/resources/import/store.rs",
        "src/resources/bulk/store/entries.rs",
    ];
    let elsewhere = walkdir("src", &stores);
    for (path, text) in &elsewhere {
        for changes in [
            "INTO resources ",
            "UPDATE resources",
            "FROM resources WHERE id",
            "INTO tags",
            "INTO resource_tags",
        ] {
            let writes = text.lines().any(|line| line.contains(changes) && !line.contains("SELECT"));
            assert!(!writes, "{path} changes the library past its store: {changes}");
        }
        for statement in people_changed(text) {
            assert!(
                statement.contains("tx: &mut Write"),
                "{path} changes what is shown of people unsaid: {statement}"
            );
        }
    }
}

/// The functions with a statement that changes what others see of a user: the names, and whether the account exists.
fn people_changed(text: &str) -> impl Iterator<Item = &str> {
    let changes = |function: &&str| {
        let shown = ["display_name =", "username =", "username_key =", "disabled_at ="];
        let updates = function.split("UPDATE users SET").skip(1).any(|update| {
            let set = update.split("WHERE").next().unwrap_or(update);
            shown.iter().any(|column| set.contains(column))
        });
        updates || function.contains("DELETE FROM users")
    };
    text.split("\npub async fn ").filter(changes)
}

#[test]
fn statements_about_people_are_recognised() {
    let renames =
        "x\npub async fn a(tx: &mut Tx) { \"UPDATE users SET role = $2, display_name = $3 WHERE id = $1\" }";
    let enters = "x\npub async fn b(tx: &mut Tx) { \"UPDATE users SET role = $2 WHERE username = $1\" }";
    assert_eq!((people_changed(renames).count(), people_changed(enters).count()), (1, 0));
    let sources = walkdir("src/accounts", &[]);
    assert_eq!(sources.iter().map(|(_, text)| people_changed(text).count()).sum::<usize>(), 3);
}

fn walkdir(folder: &str, except: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs")
                && !except.iter().any(|known| path.ends_with(known))
            {
                let text = std::fs::read_to_string(&path).expect("a source");
                found.push((path.display().to_string(), text));
            }
        }
    }
    found
}
