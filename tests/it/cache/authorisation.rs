//! Visibility flips at random while all read: on the node of the write, no viewer sees what they may not.

use std::time::{Duration, Instant};

use coffer::cache::{self, Cached};
use coffer::identity::Viewer;
use coffer::resources::listing::ListParams;
use coffer::resources::public::Selection;
use coffer::resources::visibility::may_see;
use coffer::resources::{Change, Draft, Kind, Precondition, Resources, Via, Visibility};
use uuid::Uuid;

use crate::support::app::App;
use crate::support::on_both_engines;

const VISIBILITIES: [Visibility; 3] = [Visibility::Private, Visibility::Members, Visibility::Public];

fn of(username: &str) -> Selection {
    Selection { username: Some(username.to_owned()), ..Selection::default() }
}

struct Partition {
    viewer: Viewer,
    kept: Vec<(Uuid, Visibility, bool)>,
}

async fn partition(app: &App, name: &str) -> Partition {
    app.has_account(name, coffer::identity::Role::Member).await;
    let viewer = app.viewer(name).await;
    let mut kept = Vec::new();
    for number in 0..3 {
        let draft = Draft { kind: Some(Kind::Note), title: format!("{name} {number}"), ..Draft::default() };
        let made = app.coffer.library.resources.create(&viewer, &draft, Via::Web).await.expect("a note");
        kept.push((made.id, Visibility::Private, false));
    }
    Partition { viewer, kept }
}

async fn flip(resources: &Resources, partition: &mut Partition, dice: usize) {
    let at = dice % partition.kept.len();
    let (id, visibility, trashed) = &mut partition.kept[at];
    match (dice / 8 % 4, *trashed) {
        (0, false) => {
            resources.trash(&partition.viewer, *id, &Precondition::None).await.map(|()| *trashed = true)
        }
        (_, true) => {
            resources.restore(&partition.viewer, *id, &Precondition::None).await.map(|_| *trashed = false)
        }
        (_, false) => {
            *visibility = VISIBILITIES[dice / 32 % 3];
            let change = Change { visibility: Some(*visibility), ..Change::default() };
            resources.update(&partition.viewer, *id, &Precondition::None, change, Via::Web).await.map(drop)
        }
    }
    .expect("the owner may");
}

async fn check(resources: &Resources, viewer: &Viewer, partitions: &[Partition]) {
    let listed = resources.list(viewer, &ListParams::default()).await.expect("a list");
    assert!(listed.hits.iter().all(|hit| may_see(viewer, &hit.resource)));
    let feed = resources.feed(&Selection::default()).await.expect("a feed");
    assert!(feed.hits.iter().all(|hit| may_see(&Viewer::Visitor, &hit.resource)));
    for partition in partitions {
        let mine = viewer.id() == partition.viewer.id();
        for (id, visibility, trashed) in &partition.kept {
            let shared = match visibility {
                Visibility::Private => false,
                Visibility::Members => viewer.member().is_some(),
                Visibility::Public => true,
            };
            let seen = resources.find(viewer, *id).await.is_ok();
            assert_eq!(seen, mine || (shared && !trashed), "{viewer:?} {id} {visibility:?} {trashed}");
            let in_list = listed.hits.iter().any(|hit| hit.resource.id == *id);
            assert_eq!(in_list, (mine || shared) && !trashed, "{viewer:?} {id} {visibility:?} {trashed}");
            let in_feed = feed.hits.iter().any(|hit| hit.resource.id == *id);
            assert_eq!(
                in_feed,
                *visibility == Visibility::Public && !trashed,
                "{id} {visibility:?} {trashed}"
            );
        }
        shows_what_is_public(resources, partition).await;
    }
}

async fn shows_what_is_public(resources: &Resources, partition: &Partition) {
    let username = &partition.viewer.member().expect("a person").username;
    let kept = partition.kept.iter();
    let public =
        kept.filter(|(_, visibility, trashed)| *visibility == Visibility::Public && !trashed).count();
    let Ok(profile) = resources.profile(username).await else {
        assert_eq!(public, 0, "{username}");
        return assert!(resources.feed(&of(username)).await.is_err(), "{username}");
    };
    let feed = resources.feed(&of(username)).await.expect("a feed");
    let listed = resources.public_resources_of(&profile, "", "").await.expect("a list");
    assert_eq!(usize::try_from(profile.public), Ok(public));
    assert_eq!((feed.hits.len(), listed.hits.len()), (public, public));
}

on_both_engines!(no_viewer_sees_what_is_not_theirs);
async fn no_viewer_sees_what_is_not_theirs(app: App) {
    let resources = &app.coffer.library.resources;
    let mut partitions = [partition(&app, "ada").await, partition(&app, "eve").await];
    let viewers = [partitions[0].viewer.clone(), partitions[1].viewer.clone(), Viewer::Visitor];
    let operations = super::long_or(1_000_000, 1_500);
    let (mut done, began) = (0, Instant::now());
    while done < operations {
        let dice = usize::from(u16::from_le_bytes(app.coffer.system.random()));
        if dice.is_multiple_of(5) {
            flip(resources, &mut partitions[dice / 5 % 2], dice / 10).await;
        }
        check(resources, &viewers[dice % 3], &partitions).await;
        done += 7;
        assert!(began.elapsed() < Duration::from_hours(2), "{done} operations");
    }
}

/// A value with its owner.
#[derive(serde::Deserialize, serde::Serialize)]
struct Owned(Option<Uuid>);

impl Cached for Owned {
    fn weight(&self) -> usize {
        16
    }

    fn is_for(&self, viewer: Option<Uuid>) -> bool {
        self.0 == viewer
    }
}

static OWNED: cache::Kind<Owned> = cache::Kind {
    name: "any",
    schema: 1002,
    ttl: super::MINUTE,
    is_shared: true,
    is_composed: false,
    value: std::marker::PhantomData,
};

on_both_engines!(a_value_that_is_not_for_its_key_is_never_served);
async fn a_value_that_is_not_for_its_key_is_never_served(app: App) {
    let [ada, eve] = [partition(&app, "ada").await.viewer, partition(&app, "eve").await.viewer];
    let viewers = [&Viewer::Visitor, &ada, &eve];
    for (id, (asks, owner)) in viewers.iter().flat_map(|asks| viewers.map(|owner| (*asks, owner))).enumerate()
    {
        let owner = owner.id();
        // Whether it was just loaded or lay there.
        for _ in 0..2 {
            let load = |_| async move { Ok(Some(Owned(owner))) };
            let id = [u8::try_from(id).expect("few"); 16];
            let shown = app.coffer.cache.read(&OWNED, asks, id, super::SCOPES, load).await;
            assert_eq!(shown.is_ok(), asks.id() == owner, "{asks:?} is shown what is {owner:?}'s");
        }
    }
}
