//! Made-up libraries.

use coffer::resources::listing::ListParams;

use crate::support::app::App;
use crate::support::on_both_engines;

on_both_engines!(a_library_can_be_seeded_twice);
async fn a_library_can_be_seeded_twice(app: App) {
    app.has_account("ada", coffer::identity::Role::Member).await;
    let (ada, resources) = (app.viewer("ada").await, &app.coffer.library.resources);
    let first = resources.seed(&ada, 700, |_| ()).await.expect("made-up resources");
    let second = resources.seed(&ada, 3_000, |_| ()).await.expect("more of them");
    assert_eq!(first, 700);
    assert!(second < 3_000, "some addresses are there already");
    let count = resources.count(&ada, &ListParams::default()).await.expect("a count");
    assert_eq!(usize::try_from(count).expect("a number"), first + second);
}
