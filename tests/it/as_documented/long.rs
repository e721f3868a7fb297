//! The long walk: everything that the documents have an operator do, by their own blocks, in one go.

use std::collections::BTreeSet;

use super::people::kept;
use super::tour::Tour;
use super::watch::Watch;
use crate::support::documents::blocks;
use crate::support::walk::Machine;

const PAGES: [&str; 7] =
    ["install", "backup", "upgrade", "troubleshooting", "production", "howto", "security"];

/// Commands that the walk leaves out, and why.
const ELSEWHERE: [(&str, &str); 7] = [
    ("install#Debian package", "apt would install it into the machine that tests"),
    ("install#Container", "Docker"),
    ("backup#With compose", "Docker"),
    ("howto#See the logs", "the journal, which only systemd fills"),
    ("backup#See that it works", "as_documented::backups, on SQLite"),
    ("backup#Restore on SQLite", "as_documented::backups"),
    ("backup#Restore on PostgreSQL", "as_documented::backups"),
];

/// The sections of these pages that have commands.
fn sections() -> BTreeSet<String> {
    let blocks = PAGES.iter().flat_map(|page| blocks(page).into_iter().map(move |block| (page, block)));
    let commands = blocks.filter(|(_, block)| block.language == "sh");
    commands.map(|(page, block)| format!("{page}#{}", block.heading)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_who_follows_the_documents_gets_there() {
    let mut tour = Tour::begins().await;
    let ada = tour.has_people().await;
    tour.has_another_node().await;
    tour.is_well().await;
    let watch = Watch::over(&tour).await;
    tour.makes_backups().await;
    tour.keeps_the_trail_elsewhere().await;
    let saved = tour.upgrades(&ada).await;
    assert_eq!(kept(&ada).await, saved, "no request failed, and nothing was done twice");
    let ada = tour.helps_people(&ada).await;
    tour.changes_roles().await;
    tour.stops_the_second().await;
    watch.tells_of(&tour, "CofferDown").await;
    tour.loses_its_key(&ada).await;
    let third = tour.moves().await;
    tour.leads_to(&third).await;
    assert_eq!(kept(&ada).await, saved + 1, "nobody is logged out, and everything came along");
    assert_eq!(kept(&tour.logs_in().await).await, saved + 1);

    let walked = [&tour.first, &tour.second, &third].map(Machine::followed);
    let left_out = ELSEWHERE.map(|(section, _)| section.to_owned());
    let known: BTreeSet<String> = walked.into_iter().flatten().chain(left_out).collect();
    let unknown: Vec<_> = sections().difference(&known).cloned().collect();
    assert!(unknown.is_empty(), "neither walked nor left out with a reason: {unknown:?}");
}
