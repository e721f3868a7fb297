//! The hops that a forwarding header names, the nearest first.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;

use super::ProxyHeader;

const MAX_HOPS: usize = 32;
const MAX_BYTES: usize = 4 << 10;

/// `None` for a hop without an address. Hops beyond the limits are ignored: proxies write at the right end, and only a
/// client has reason to write so much at the left.
pub fn from_right(header: ProxyHeader, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(header.as_str()).iter();
    let joined = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect::<Vec<_>>().join(",");
    let text = joined.get(joined.ceil_char_boundary(joined.len().saturating_sub(MAX_BYTES))..);
    let mut text = text.unwrap_or_default();
    let mut hops = Vec::new();
    while !text.is_empty() && hops.len() < MAX_HOPS {
        let (rest, hop) = cut_last(text, b',');
        text = rest;
        hops.push(match header {
            ProxyHeader::XForwardedFor => node(hop.trim()),
            ProxyHeader::Forwarded => forwarded_for(hop),
        });
    }
    hops
}

/// `for` of one element of `Forwarded`: `for="[2001:db8::1]:4711";proto=https`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = None;
    let mut rest = element;
    while !rest.is_empty() {
        let (before, pair) = cut_last(rest, b';');
        rest = before;
        let Some((name, value)) = pair.split_once('=') else { continue };
        if name.trim().eq_ignore_ascii_case("for") && found.replace(value.trim()).is_some() {
            return None;
        }
    }
    let value = found?;
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    node(&quoted.unwrap_or(value).replace('\\', ""))
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`; also with a hidden port (`:_web`).
fn node(text: &str) -> Option<IpAddr> {
    let address = if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        let ends_well = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        IpAddr::V6(address.parse::<Ipv6Addr>().ok().filter(|_| ends_well)?)
    } else {
        match text.split_once(':') {
            Some((address, port)) if is_port(port) => IpAddr::V4(address.parse().ok()?),
            _ => text.parse().ok()?,
        }
    };
    Some(address.to_canonical())
}

fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(hidden) => {
            !hidden.is_empty() && hidden.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        }
        None => text.parse::<u16>().is_ok() && text.bytes().all(|b| b.is_ascii_digit()),
    }
}

/// Splits at the last separator outside quotes. It reads quotes from the right too, so that one that a client left open
/// can't swallow what a proxy wrote after it.
fn cut_last(text: &str, separator: u8) -> (&str, &str) {
    let bytes = text.as_bytes();
    let mut quoted = false;
    for at in (0..bytes.len()).rev() {
        let escapes = bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        if bytes[at] == b'"' && escapes % 2 == 0 {
            quoted = !quoted;
        } else if bytes[at] == separator && !quoted {
            return (&text[..at], &text[at + 1..]);
        }
    }
    ("", text)
}
