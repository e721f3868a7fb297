//! Headers as proxies write them and as attackers do.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

use super::*;

const PROXY: &str = "10.0.0.1";

fn clients(header: ProxyHeader) -> ClientIp {
    let trusted = ["10.0.0.0/8", "fd00::/8"].map(|text| network(text).unwrap());
    ClientIp { trusted: trusted.into(), header, key: mac(&[7; 32]), seen: Arc::default() }
}

/// The client, by these header lines, for a coffer behind 10.0.0.0/8.
fn client(header: ProxyHeader, peer: &str, lines: &[&str]) -> String {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(header.as_str(), HeaderValue::from_bytes(line.as_bytes()).unwrap());
    }
    clients(header).address(peer.parse().unwrap(), &headers).to_string()
}

fn x_forwarded_for(lines: &[&str]) -> String {
    client(ProxyHeader::XForwardedFor, PROXY, lines)
}

fn forwarded(lines: &[&str]) -> String {
    client(ProxyHeader::Forwarded, PROXY, lines)
}

#[test]
fn an_untrusted_peer_speaks_for_itself_only() {
    assert_eq!(client(ProxyHeader::XForwardedFor, "192.0.2.9", &["198.51.100.7"]), "192.0.2.9");
    assert_eq!(client(ProxyHeader::Forwarded, "192.0.2.9", &["for=198.51.100.7"]), "192.0.2.9");
    assert_eq!(client(ProxyHeader::XForwardedFor, "::ffff:192.0.2.9", &[]), "192.0.2.9");
}

#[test]
fn the_other_header_is_not_read() {
    let mut headers = HeaderMap::new();
    headers.insert("forwarded", HeaderValue::from_static("for=198.51.100.7"));
    headers.insert("x-real-ip", HeaderValue::from_static("198.51.100.7"));
    let peer: IpAddr = PROXY.parse().unwrap();
    assert_eq!(clients(ProxyHeader::XForwardedFor).address(peer, &headers), peer);
}

#[test]
fn the_first_untrusted_hop_from_the_right_is_the_client() {
    assert_eq!(x_forwarded_for(&["198.51.100.7"]), "198.51.100.7");
    assert_eq!(x_forwarded_for(&["198.51.100.7, 10.2.3.4"]), "198.51.100.7");
    assert_eq!(x_forwarded_for(&["198.51.100.7,fd00::5,10.2.3.4"]), "198.51.100.7");
    assert_eq!(x_forwarded_for(&["10.9.9.9, 10.2.3.4"]), "10.9.9.9");
    assert_eq!(x_forwarded_for(&[]), PROXY);
}

#[test]
fn what_a_client_forges_at_the_left_counts_for_nothing() {
    assert_eq!(x_forwarded_for(&["127.0.0.1, 10.0.0.5, 198.51.100.7"]), "198.51.100.7");
    assert_eq!(x_forwarded_for(&["\"; drop table, 198.51.100.7"]), "198.51.100.7");
    assert_eq!(forwarded(&["for=127.0.0.1, for=198.51.100.7"]), "198.51.100.7");
    assert_eq!(forwarded(&["for=\"open, for=198.51.100.7;proto=https"]), "198.51.100.7");
}

#[test]
fn doubled_headers_are_one_list() {
    assert_eq!(x_forwarded_for(&["127.0.0.1", "198.51.100.7"]), "198.51.100.7");
    assert_eq!(x_forwarded_for(&["127.0.0.1, 198.51.100.7", "10.2.3.4"]), "198.51.100.7");
    assert_eq!(forwarded(&["for=198.51.100.7", "for=10.2.3.4"]), "198.51.100.7");
}

#[test]
fn a_hop_that_tells_nothing_ends_the_walk() {
    for nothing in ["unknown", "_hidden", "", " ", "198.51.100", "198.51.100.7:http", "[::1", "fe80::1%eth0"]
    {
        assert_eq!(
            x_forwarded_for(&[&format!("203.0.113.1, {nothing}, 10.2.3.4")]),
            "10.2.3.4",
            "{nothing:?}"
        );
        assert_eq!(x_forwarded_for(&[&format!("203.0.113.1, {nothing}")]), PROXY, "{nothing:?}");
    }
    for nothing in ["for=unknown", "for=_x", "proto=https", "for=192.0.2.1;for=192.0.2.2", "for=\"192.0.2.1"]
    {
        assert_eq!(forwarded(&[&format!("for=203.0.113.1, {nothing}")]), PROXY, "{nothing:?}");
    }
}

#[test]
fn ports_brackets_and_mapped_forms_are_read() {
    for (text, address) in [
        ("198.51.100.7:443", "198.51.100.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("[::ffff:c633:6407]:80", "198.51.100.7"),
        ("  198.51.100.7\t", "198.51.100.7"),
    ] {
        assert_eq!(x_forwarded_for(&[text]), address);
    }
    for (text, address) in [
        ("For=\"[2001:db8::1]:4711\"", "2001:db8::1"),
        ("proto=https;FOR=198.51.100.7;by=10.0.0.1", "198.51.100.7"),
        ("for=\"198.51.100.7:_web\";host=\"a,b;c\"", "198.51.100.7"),
        ("for=\"198.51.100.7\"; host=\"say \\\"hi, you\\\"\"", "198.51.100.7"),
    ] {
        assert_eq!(forwarded(&[text]), address, "{text}");
    }
}

#[test]
fn long_headers_are_read_at_their_right_end_only() {
    let forged = vec!["127.0.0.1"; 100_000].join(", ");
    assert_eq!(x_forwarded_for(&[&forged, "198.51.100.7"]), "198.51.100.7");
    let trusted = vec!["10.1.1.1"; 31].join(",");
    assert_eq!(x_forwarded_for(&[&format!("198.51.100.7,{trusted}")]), "198.51.100.7");
    assert_eq!(x_forwarded_for(&[&format!("198.51.100.7,10.1.1.9,{trusted}")]), "10.1.1.9");
    assert_eq!(x_forwarded_for(&[&format!("198.51.100.7{}", " ".repeat(5_000))]), PROXY);
}

#[test]
fn a_network_is_one_ipv4_address_or_one_ipv6_64() {
    let clients = clients(ProxyHeader::XForwardedFor);
    let hash = |text: &str| clients.network(text.parse().unwrap());
    assert_eq!(hash("2001:db8:1:2::1"), hash("2001:db8:1:2:ffff::9"));
    assert_ne!(hash("2001:db8:1:2::1"), hash("2001:db8:1:3::1"));
    assert_ne!(hash("192.0.2.1"), hash("192.0.2.2"));
    assert_eq!(hash("192.0.2.1"), hash("::ffff:192.0.2.1"));
    let other = ClientIp { key: mac(&[8; 32]), ..self::clients(ProxyHeader::XForwardedFor) };
    assert_ne!(hash("192.0.2.1"), other.network("192.0.2.1".parse().unwrap()));
}

#[test]
fn networks_are_configured_with_or_without_a_prefix() {
    assert_eq!(network(" 127.0.0.1 ").unwrap().to_string(), "127.0.0.1/32");
    assert_eq!(network("10.0.0.0/8").unwrap().to_string(), "10.0.0.0/8");
    assert!(network("localhost").unwrap_err().contains("10.0.0.0/8"));
}

proptest! {
    #[test]
    fn whatever_stands_left_of_the_last_proxys_word_changes_nothing(junk in "[ -~\\x80-\\xff]{0,200}") {
        prop_assert_eq!(x_forwarded_for(&[&junk, "198.51.100.7"]), "198.51.100.7");
        prop_assert_eq!(forwarded(&[&junk, "for=198.51.100.7"]), "198.51.100.7");
    }
}

fn unknown_proxy(peers: &[(&str, bool)]) -> bool {
    let clients = clients(ProxyHeader::XForwardedFor);
    let mut forwarded = HeaderMap::new();
    forwarded.insert("x-forwarded-for", HeaderValue::from_static("198.51.100.7"));
    for (peer, forwards) in peers {
        let headers = if *forwards { forwarded.clone() } else { HeaderMap::new() };
        let _ = clients.address(peer.parse().unwrap(), &headers);
    }
    clients.unknown_proxy().is_some()
}

#[test]
fn everybody_behind_one_unknown_proxy_is_noticed() {
    assert!(unknown_proxy(&[("192.0.2.1", true), ("192.0.2.1", true)]), "one public peer that forwards");
    assert!(unknown_proxy(&[("127.0.0.1", false), ("172.18.0.2", true)]), "a peer in a private network");
    assert!(!unknown_proxy(&[("192.0.2.1", false), ("192.0.2.1", false)]), "one visitor");
    assert!(!unknown_proxy(&[("192.0.2.1", true), ("192.0.2.2", false)]), "a client that makes headers up");
    assert!(!unknown_proxy(&[("10.0.0.1", true)]), "a proxy that is known");
}
