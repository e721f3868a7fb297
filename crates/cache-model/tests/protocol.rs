//! No order of events makes the protocol answer stale; without any one of its rules, one does.

use cache_model::{Fault, PROTOCOL, Rules, bounds, explore};

const EVERYTHING: &[Fault] = &[Fault::Forgets, Fault::Breaks, Fault::Severs, Fault::Kills, Fault::Restarts];
const SMALL: &[Fault] = &[Fault::Forgets, Fault::Severs, Fault::Kills];
const LARGE: &[Fault] = &[Fault::Breaks, Fault::Restarts];

/// Searches all orders within these bounds; `bin/test --long` searches larger ones.
#[test]
fn the_protocol_never_answers_stale() {
    let mut searched = vec![bounds(2, 1, 0, &[]), bounds(1, 2, 0, &[])];
    searched.extend(SMALL.chunks(1).map(|kind| bounds(2, 1, 1, kind)));
    searched.extend(LARGE.chunks(1).map(|kind| bounds(1, 1, 1, kind)));
    if std::env::var_os("COFFER_TEST_LONG").is_some() {
        searched.extend([bounds(2, 2, 0, &[]), bounds(2, 1, 1, EVERYTHING), bounds(1, 2, 1, EVERYTHING)]);
        searched.extend(EVERYTHING.chunks(1).flat_map(|kind| [bounds(2, 1, 1, kind), bounds(1, 2, 2, kind)]));
    }
    for bounds in searched {
        assert_eq!(explore(PROTOCOL, bounds), None);
    }
}

/// With a rule left out, the checker finds a stale answer.
macro_rules! finds_the_fault {
    ($($name:ident: $rules:expr, $bounds:expr;)*) => {
        $(
            #[test]
            fn $name() {
                println!("{}", explore($rules, $bounds).expect("the checker finds a stale answer"));
            }
        )*
    };
}

finds_the_fault! {
    delete_and_publish_is_stale:
        Rules { local_generation: false, generations: false, ..PROTOCOL }, bounds(1, 1, 0, &[]);
    delete_and_publish_with_a_local_generation_is_stale:
        Rules { generations: false, ..PROTOCOL }, bounds(2, 1, 0, &[]);
    versions_without_a_local_generation_are_stale:
        Rules { random: false, local_generation: false, ..PROTOCOL }, bounds(1, 1, 0, &[]);
    versions_that_are_counted_are_stale_after_a_flush:
        Rules { random: false, ..PROTOCOL }, bounds(2, 1, 1, &[Fault::Forgets]);
    no_bypass_is_stale_when_redis_was_away_at_the_write:
        Rules { bypass: false, ..PROTOCOL }, bounds(2, 1, 1, &[Fault::Severs]);
    joining_any_running_load_is_stale:
        Rules { join_same_generation: false, ..PROTOCOL }, bounds(1, 1, 0, &[]);
    joining_an_old_load_is_stale:
        Rules { join_young: false, ..PROTOCOL }, bounds(1, 1, 1, &[Fault::Breaks]);
    a_lost_message_without_a_flush_is_stale:
        Rules { flush_after_break: false, ..PROTOCOL }, bounds(1, 1, 1, &[Fault::Breaks]);
    local_generations_before_redis_are_stale:
        Rules { redis_first: false, ..PROTOCOL }, bounds(2, 1, 0, &[]);
    one_keyspace_for_ever_is_stale_after_a_restart:
        Rules { keyspace: false, ..PROTOCOL }, bounds(2, 1, 1, &[Fault::Restarts]);
    memory_without_a_lease_is_stale:
        Rules { lease: false, ..PROTOCOL }, bounds(1, 1, 1, &[Fault::Breaks]);
}
