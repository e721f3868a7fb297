//! The last question before a value is served: is it for this viewer? Each kind asks it, whatever the loader or the key
//! says; of an entry that is kept once for all, nothing else decides.

use coffer::cache::{Cached, Key, Kind, Scope, Scopes};
use coffer::identity::Role;
use coffer::identity::Viewer;
use coffer::resources::cached::{ANY, Any, FEED, LISTING, RESOURCE, TAGS, Tagged};
use coffer::resources::listing::{Hit, ListParams, Listing};
use coffer::resources::public::Feed;
use coffer::resources::visibility::Visibility;
use coffer::resources::{Draft, Precondition, Resource, Via};
use serde_json::json;
use uuid::Uuid;

use super::SCOPES;
use crate::support::actor::Actor;
use crate::support::app::{App, Engine};
use crate::support::on_both_engines;

/// Ada's entries of each visibility, as they stand and in the trash.
async fn entries(app: &App, ada: &Viewer) -> Vec<Resource> {
    let (resources, mut entries) = (&app.coffer.library.resources, Vec::new());
    for visibility in [Visibility::Private, Visibility::Members, Visibility::Public] {
        for is_trashed in [false, true] {
            let draft = Draft { title: "Pearl".into(), visibility, ..Draft::default() };
            let made = resources.create(ada, &draft, Via::Web).await.expect("an entry");
            if is_trashed {
                resources.trash(ada, made.id, &Precondition::None).await.expect("it is hers");
            }
            entries.push(resources.latest(ada, made.id).await.expect("it is hers"));
        }
    }
    entries
}

/// The rule, written down once more by hand.
fn may_see(name: &str, entry: &Resource) -> bool {
    let shared = match entry.visibility {
        Visibility::Private => false,
        Visibility::Members => name != "visitor",
        Visibility::Public => true,
    };
    name == "ada" || (shared && entry.trashed_at.is_none())
}

/// Whether this value is served to the viewer when a loader brings it, and when it is kept.
async fn served<T: Cached>(
    app: &App,
    kind: &'static Kind<T>,
    viewer: &Viewer,
    value: impl Fn() -> T,
) -> bool {
    let id = app.coffer.system.new_id().into_bytes();
    let mut answers = Vec::new();
    for _ in 0..2 {
        let value = value();
        let read = app.coffer.cache.read(kind, viewer, id, SCOPES, |_| async move { Ok(Some(value)) });
        answers.push(read.await.is_ok_and(|value| value.is_some()));
    }
    assert_eq!(answers[0], answers[1], "{:?}", kind.name);
    answers[0]
}

on_both_engines!(no_kind_serves_what_is_not_for_the_viewer);
async fn no_kind_serves_what_is_not_for_the_viewer(app: App) {
    let (_ada, _eve) = (app.signed_in("ada").await, app.signed_in("eve").await);
    let ada = app.viewer("ada").await;
    let entries = entries(&app, &ada).await;
    let mut params = ListParams { mine: "true".into(), state: "all".into(), ..ListParams::default() };
    params.sort = "oldest".into();
    let hits = &app.coffer.library.resources.list(&ada, &params).await.expect("hers").hits;
    assert_eq!(hits.len(), entries.len());
    for name in ["ada", "eve", "visitor"] {
        let viewer = app.viewer(name).await;
        for (entry, hit) in entries.iter().zip(hits) {
            let (allowed, what) = (may_see(name, entry), format!("{name}: {entry:?}"));
            assert_eq!(served(&app, &RESOURCE, &viewer, || entry.clone()).await, allowed, "{what}");
            let listing = || Listing { hits: vec![hit.clone()], ..Listing::default() };
            assert_eq!(
                served(&app, &LISTING, &viewer, listing).await,
                may_see(name, &hit.resource),
                "{what}"
            );
            let feed = || Feed { owner: None, tag: String::new(), hits: vec![Hit::clone(hit)] };
            let is_public = may_see("visitor", &hit.resource);
            assert_eq!(served(&app, &FEED, &Viewer::Visitor, feed).await, is_public, "{what}");
        }
        for by in [ada.id(), None] {
            let is_own = by == viewer.id();
            assert_eq!(
                served(&app, &TAGS, &viewer, || Tagged { by, tags: Vec::new() }).await,
                is_own,
                "{name} {by:?}"
            );
            assert_eq!(served(&app, &ANY, &viewer, || Any { by, any: true }).await, is_own, "{name} {by:?}");
        }
    }
}

/// What the answers of these addresses say of what the cache did.
async fn told(person: &Actor, entry: &str) -> Vec<(u16, String)> {
    let mut told = Vec::new();
    for path in [
        format!("/api/v1/resources/{entry}"),
        format!("/resources/{entry}"),
        format!("/resources/{entry}/row"),
    ] {
        let answer = person.get(&path).await;
        told.push((answer.status(), answer.header("cache-status")));
    }
    told
}

on_both_engines!(what_others_have_read_is_told_to_nobody);
async fn what_others_have_read_is_told_to_nobody(app: App) {
    let owner = app.signed_in("ada").await;
    let readers = [app.signed_in("eve").await, app.visitor()];
    for visibility in ["private", "members", "public"] {
        let entry = owner.saves(json!({ "title": "Pearl", "visibility": visibility })).await;
        for _ in 0..2 {
            for path in [entry.page(), entry.api(), format!("{}/row", entry.page())] {
                owner.get(&path).await.ok().text_has("Pearl");
            }
        }
        for reader in &readers {
            let sees = visibility == "public" || (visibility == "members" && reader.name == "eve");
            for _ in 0..2 {
                let (found, unknown) = (
                    told(reader, &entry.id).await,
                    told(reader, &app.coffer.system.new_id().to_string()).await,
                );
                assert!(unknown.iter().all(|(status, _)| *status == 404), "{unknown:?}");
                if sees {
                    assert!(found.iter().all(|(status, _)| *status == 200), "{found:?}");
                } else {
                    assert_eq!(found, unknown, "{} asks for what is {visibility}", reader.name);
                }
            }
        }
    }
}

on_both_engines!(an_entry_is_loaded_once_for_all_who_may_see_it);
async fn an_entry_is_loaded_once_for_all_who_may_see_it(app: App) {
    let owner = app.signed_in("ada").await;
    let entry = owner.saves(json!({ "title": "Pearl", "visibility": "public" })).await;
    for name in ["eve", "ben"] {
        app.has_account(name, Role::Member).await;
    }
    super::settled(&app).await;
    let loads = || app.scraped("coffer_cache_load_duration_seconds_count", &[("cache", "resource")]);
    let before = loads();
    for name in ["ada", "eve", "ben", "visitor"] {
        let viewer = app.viewer(name).await;
        app.coffer
            .library
            .resources
            .find(&viewer, entry.id.parse().expect("an id"))
            .await
            .expect("they may see it");
    }
    assert!((loads() - before - 1.0).abs() < 0.1, "{before} {}", loads());
}

/// As a hand that meddles would: an entry under another's key in a scope of its own.
#[tokio::test]
async fn a_shared_key_refuses_and_a_private_one_fails() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let _ada = app.signed_in("ada").await;
    let ada = app.viewer("ada").await;
    let draft = Draft { title: "Pearl".into(), ..Draft::default() };
    let entry = app.coffer.library.resources.create(&ada, &draft, Via::Web).await.expect("an entry");
    let scopes = Scopes::one(Scope::Noun('r', Uuid::nil()));
    let load = || {
        let entry = entry.clone();
        async move { Ok(Some(entry)) }
    };
    let shared = Key::shared(&Viewer::Visitor, [9; 16]);
    assert!(app.coffer.cache.get(&RESOURCE, shared, scopes, |_| load()).await.expect("an answer").is_none());
    let shared = Key::shared(&ada, [9; 16]);
    assert!(app.coffer.cache.get(&RESOURCE, shared, scopes, |_| load()).await.expect("an answer").is_some());
    let public = Key::public([8; 16]);
    assert!(app.coffer.cache.get(&RESOURCE, public, scopes, |_| load()).await.is_err());
}
