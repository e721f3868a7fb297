//! Only so many loads run at once. A page's load, which waits for other loads, takes no permit: otherwise cold pages
//! could wait for each other for ever. A model tries every order, and a test asks for many cold pages at once.

use std::marker::PhantomData;
use std::time::{Duration, Instant};

use coffer::cache::{Key, Kind};
use coffer::error::Error;
use futures_util::future::join_all;
use serde_json::json;
use stateright::{Checker, Model, Property};

use super::{MINUTE, NUMBER, Number, SCOPES, key};
use crate::support::app::App;
use crate::support::on_both_engines;

/// Pages, and the loads of the answers that they are made from.
struct Permits {
    at_once: usize,
    /// Whether a page's load takes a permit, as other loads do.
    pages_take_permits: bool,
}

const PAGES: usize = 3;
const ANSWERS: usize = 2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Stage {
    #[default]
    NotStarted,
    /// For a permit.
    Waiting,
    Loading,
    Done,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct State {
    pages: [Stage; PAGES],
    answers: [Stage; ANSWERS],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Action {
    Page(usize),
    Answer(usize),
}

impl Permits {
    fn is_free(&self, state: &State) -> bool {
        let loading = |stages: &[Stage]| stages.iter().filter(|stage| **stage == Stage::Loading).count();
        let pages = if self.pages_take_permits { loading(&state.pages) } else { 0 };
        pages + loading(&state.answers) < self.at_once
    }

    fn advance_page(&self, state: &mut State, page: usize) -> Option<()> {
        let answer = page % ANSWERS;
        state.pages[page] = match state.pages[page] {
            Stage::NotStarted if self.pages_take_permits => Stage::Waiting,
            Stage::Waiting if !self.is_free(state) => return None,
            Stage::NotStarted | Stage::Waiting => Stage::Loading,
            // The page starts the load of its answer, or joins it.
            Stage::Loading if state.answers[answer] == Stage::NotStarted => {
                state.answers[answer] = Stage::Waiting;
                Stage::Loading
            }
            Stage::Loading if state.answers[answer] == Stage::Done => Stage::Done,
            Stage::Loading | Stage::Done => return None,
        };
        Some(())
    }

    fn advance_answer(&self, state: &mut State, answer: usize) -> Option<()> {
        state.answers[answer] = match state.answers[answer] {
            Stage::Waiting if self.is_free(state) => Stage::Loading,
            Stage::Loading => Stage::Done,
            _ => return None,
        };
        Some(())
    }

    fn deadlock(self) -> Option<String> {
        let checker = self.checker().spawn_bfs().join();
        println!("{} states", checker.unique_state_count());
        checker.discovery("all are answered").map(|path| format!("{:?}", path.into_actions()))
    }
}

impl Model for Permits {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let all = (0..PAGES).map(Action::Page).chain((0..ANSWERS).map(Action::Answer));
        actions.extend(all.filter(|action| self.next_state(state, *action).is_some()));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Page(page) => self.advance_page(&mut state, page)?,
            Action::Answer(answer) => self.advance_answer(&mut state, answer)?,
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("all are answered", |model: &Self, state: &State| {
            let mut actions = Vec::new();
            model.actions(state, &mut actions);
            !actions.is_empty() || state.pages == [Stage::Done; PAGES]
        })]
    }
}

#[test]
fn loads_that_wait_for_others_hold_no_permit() {
    for at_once in 1..=PAGES {
        assert_eq!(Permits { at_once, pages_take_permits: false }.deadlock(), None, "{at_once} at once");
    }
}

/// With at least as many pages as permits.
#[test]
fn pages_that_hold_a_permit_wait_for_each_other_for_ever() {
    for at_once in 1..PAGES {
        let deadlock = Permits { at_once, pages_take_permits: true }.deadlock();
        println!("{}", deadlock.expect("the checker finds the deadlock"));
    }
}

const AT_ONCE: usize = 40;
/// Far less than a load waits before it gives up.
const SOON: Duration = Duration::from_secs(20);

on_both_engines!(many_cold_pages_at_once_are_all_drawn, "--database-connections=5");
async fn many_cold_pages_at_once_are_all_drawn(app: App) {
    let ada = app.signed_in("ada").await;
    for number in 0..AT_ONCE {
        ada.saves(json!({
            "title": format!("Tide table {number}"),
            "tags": [format!("tide-{number}")],
            "visibility": "public",
        }))
        .await;
    }
    let (visitor, bob) = (app.visitor(), app.signed_in("bob").await);
    let cold: [fn(usize) -> String; 4] = [
        |number| format!("/resources?q=a-{number}"),
        |number| format!("/resources?tag=tide-{number}"),
        |number| format!("/u/ada?number={number}"),
        |number| if number % 2 == 0 { "/feed.atom".to_owned() } else { "/u/ada/feed.atom".to_owned() },
    ];
    for path in cold {
        for who in [&visitor, &bob, &ada] {
            let asked = Instant::now();
            let pages = join_all((0..AT_ONCE).map(async |number| who.get(&path(number)).await.status()));
            assert_eq!(pages.await, [200; AT_ONCE], "{}: {}", who.name, path(1));
            assert!(asked.elapsed() < SOON, "{}: {} took {:?}", who.name, path(1), asked.elapsed());
        }
    }
}

static SHEET: Kind<Number> =
    Kind { name: "page", schema: 1000, ttl: MINUTE, is_shared: false, is_composed: true, value: PhantomData };

on_both_engines!(a_composed_kind_needs_no_permit, "--database-connections=1");
async fn a_composed_kind_needs_no_permit(app: App) {
    let cache = &app.coffer.cache;
    let sheet = async |id: u8| {
        let parts = cache.clone();
        let load = |_| async move {
            let mut sum = 0;
            for part in [id, id % 7] {
                let load = |_| async move { Ok(Some(Number(u64::from(part)))) };
                sum += parts.get(&NUMBER, key(part), SCOPES, load).await?.ok_or(Error::NotFound)?.0;
            }
            Ok(Some(Number(sum)))
        };
        cache.get(&SHEET, Key::public([id; 16]), SCOPES, load).await.expect("an answer").expect("a sheet").0
    };
    let sheets = tokio::time::timeout(SOON, join_all((0..100).map(sheet))).await.expect("all in time");
    assert_eq!(sheets, (0..100).map(|id| id + id % 7).collect::<Vec<u64>>());
}
