//! Which viewer a cached page is for, and which clients get it compressed.

use super::*;

#[test]
fn a_page_is_only_for_its_viewer() {
    let [ada, eve] = [1, 2].map(|id| Some(Uuid::from_u128(id)));
    for owner in [None, ada, eve] {
        let page = CachedPage { viewer: owner, body: Vec::new(), tag: String::new(), gzip: Vec::new() };
        assert!([None, ada, eve].into_iter().all(|viewer| page.is_for(viewer) == (owner == viewer)));
    }
}

#[test]
fn gzip_is_sent_to_clients_that_accept_it() {
    let takes = |text: &'static str| {
        takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]))
    };
    assert!(takes("gzip, deflate, br") && takes("br;q=1.0, GZIP;q=0.8"));
    assert!(!takes("br") && !takes("gzip;q=0") && !takes_gzip(&HeaderMap::new()));
}
