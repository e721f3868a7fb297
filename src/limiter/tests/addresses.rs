//! Addresses as clients: hashed, by household, under the day's key.

use std::net::IpAddr;

use super::super::key::Keyring;
use super::*;
use crate::keys::mac;
use crate::timestamp::Timestamp;

fn keyring() -> Keyring {
    Keyring::from_master(&[7; 32], 3_600 * SECOND, true)
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(20_000 * DAY + micros)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn an_address_is_hashed_under_the_days_key() {
    use hmac::Mac as _;
    let mut day = mac(&[7; 32]);
    day.update(&20_000_u64.to_be_bytes());
    let mut id = mac(&day.finalize().into_bytes().into());
    id.update(b"\x02ip4\xc0\x00\x02\x01");
    let noon = at(DAY / 2);
    assert_eq!(keyring().address(ip("192.0.2.1"), noon).today.0, id.finalize().into_bytes()[..16]);
}

#[test]
fn a_household_is_one_client() {
    let (keys, noon) = (keyring(), at(DAY / 2));
    let id = |text| keys.address(ip(text), noon).today;
    assert_eq!(id("192.0.2.1"), id("::ffff:192.0.2.1"));
    for address in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"] {
        assert_eq!(keys.name(ip(address), noon), id(address).short());
    }
    assert_ne!(id("192.0.2.1"), id("192.0.2.2"));
    assert_ne!(id("192.0.2.1"), id("::192.0.2.1"), "a compatible address is another thing");
    for host in ["2001:db8:1:2::", "2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"] {
        assert_eq!(id(host), id("2001:db8:1:2:3:4:5:6"), "{host}");
    }
    assert_ne!(id("2001:db8:1:2::1"), id("2001:db8:1:3::1"));
    let network = |text| keys.network(ip(text), noon).map(|key| key.today);
    assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:2:2::1"));
    assert_eq!(network("192.0.2.1"), None);
    assert_eq!(network("::ffff:192.0.2.1"), None);
}

#[test]
fn domains_are_apart() {
    let (keys, noon) = (keyring(), at(DAY / 2));
    let mut ids = vec![
        keys.account("ada", noon).today,
        keys.email("ada", noon).today,
        keys.token(b"ada", noon).today,
        keys.session(b"ada", noon).today,
        keys.device(b"ada", "", noon).today,
        keys.device(b"ad", "a", noon).today,
        keys.pair(keys.account("ada", noon), keys.email("ada", noon), noon).today,
        keys.pair(keys.email("ada", noon), keys.account("ada", noon), noon).today,
    ];
    ids.sort_by_key(|id| id.0);
    ids.dedup();
    assert_eq!(ids.len(), 8);
}

#[test]
fn names_change_at_midnight_and_yesterdays_is_read_for_a_while() {
    let keys = keyring();
    let name = |micros| keys.address(ip("192.0.2.1"), at(micros));
    let (before, after) = (name(DAY - 1), name(DAY));
    assert_ne!(before.today, after.today);
    assert_eq!(after.yesterday, Some(before.today));
    assert_eq!(before.yesterday, None);
    assert_eq!(name(DAY + 3_600 * 1_000_000).yesterday, None);
    assert_eq!(before.slot, after.slot, "a cluster has both in one slot");
    let pair = |micros| {
        let account = keys.account("ada", at(micros));
        keys.pair(name(micros), account, at(micros))
    };
    assert_eq!(pair(DAY).yesterday, Some(pair(DAY - 1).today));
}

#[test]
fn midnight_is_no_free_burst() {
    let (keys, table) = (keyring(), Table::new(1 << 12));
    let check = Check {
        quota: Quota::Rate { burst: 100, count: 1, period: 3_600 * SECOND },
        shadow: false,
        units: 1,
        only_if_new: None,
    };
    let allowed = |micros: i64| {
        let key = keys.address(ip("192.0.2.1"), at(micros));
        let charge = Charge { policy: Policy::Pages, key, check };
        !local::decide(&table, &[charge], u64::try_from(at(micros).micros()).unwrap())[0].is_refused()
    };
    assert_eq!((0..70).filter(|_| allowed(DAY - 1)).count(), 70);
    assert_eq!((0..70).filter(|_| allowed(DAY)).count(), 30);
    assert_eq!((0..70).filter(|_| allowed(DAY + 3_599 * 1_000_000)).count(), 0);
}
