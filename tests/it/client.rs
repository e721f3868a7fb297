//! Which network a request came from: as the trail tells networks apart, never by an address.

use std::collections::BTreeSet;

use crate::support::actor::Actor;
use crate::support::app::App;
use crate::support::on_both_engines;

/// The network of a failed login that was sent with these forwarding headers.
async fn network_of(app: &App, admin: &Actor, header: &str, value: &str) -> String {
    let form = [("login", "nobody"), ("password", "not the password")];
    app.visitor().post_form("/login", &form).header(header, value).await.is(422);
    let newest = admin.get("/api/v1/admin/audit?limit=1").await.ok().json();
    newest["items"][0]["network"].as_str().expect("a network").to_owned()
}

on_both_engines!(behind_a_trusted_proxy_networks_differ, "--trusted-proxies=127.0.0.1,10.0.0.0/8");
async fn behind_a_trusted_proxy_networks_differ(app: App) {
    let admin = app.admin("root").await;
    let network = async |value: &str| network_of(&app, &admin, "x-forwarded-for", value).await;
    let home = network("198.51.100.7").await;
    assert_eq!(home.len(), 12, "the beginning of a hash");
    for same in [
        "198.51.100.7:4711",
        "::ffff:198.51.100.7",
        "127.0.0.1, 198.51.100.7",
        "203.0.113.9,198.51.100.7, 10.2.3.4",
    ] {
        assert_eq!(network(same).await, home, "{same}");
    }
    let others = [network("198.51.100.8").await, network("2001:db8::1").await, network("unknown").await];
    assert!(!others.contains(&home), "{others:?}");
    assert_eq!(network("2001:db8::ffff:1").await, others[1], "one /64");
    assert_eq!(
        network_of(&app, &admin, "forwarded", "for=198.51.100.7").await,
        others[2],
        "not the configured header"
    );
}

on_both_engines!(the_standard_header_serves_too, "--trusted-proxies=127.0.0.1", "--proxy-header=forwarded");
async fn the_standard_header_serves_too(app: App) {
    let admin = app.admin("root").await;
    let network = async |value: &str| network_of(&app, &admin, "forwarded", value).await;
    let home = network("for=\"[2001:db8::1]:4711\";proto=https").await;
    assert_eq!(network("for=_hidden, for=\"[2001:db8::2]\"").await, home);
    assert_ne!(network("for=198.51.100.7").await, home);
}

on_both_engines!(nobody_else_is_believed);
async fn nobody_else_is_believed(app: App) {
    let admin = app.admin("root").await;
    let mut networks = BTreeSet::new();
    for forged in ["198.51.100.7", "2001:db8::1", "127.0.0.1", "garbage \"", &"10.0.0.1,".repeat(1_000)] {
        networks.insert(network_of(&app, &admin, "x-forwarded-for", forged).await);
    }
    assert_eq!(networks.len(), 1, "all of it is this machine");
}

on_both_engines!(a_network_that_claims_nothing_useful_refuses_nobody, "--trusted-proxies=127.0.0.1");
async fn a_network_that_claims_nothing_useful_refuses_nobody(app: App) {
    let ada = app.signed_in("ada").await;
    for junk in ["", ",,,,", "\"", "[", "::::", "1.2.3.4.5", "\u{fc}\u{fc}"] {
        ada.get("/settings/activity").header("x-forwarded-for", junk).await.ok();
        ada.get("/settings/activity").header("user-agent", junk).await.ok();
    }
}
