//! The public address, and the check that a request was sent to it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use url::Url;

use crate::error::{Code, Error, Result};

#[derive(Clone, Debug)]
pub struct PublicUrl {
    scheme: &'static str,
    authority: String,
    /// Empty, or as `/coffer`.
    path: String,
    /// Whether the configuration names it; else it is this machine's.
    is_configured: bool,
    /// The port people type when coffer is on this machine only, for `127.0.0.1` beside `localhost`.
    loopback_port: Option<u16>,
}

/// The host and port of a request or an origin, equal however they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HostPort {
    /// In lower case and without a final dot.
    name: String,
    port: u16,
}

impl HostPort {
    /// `host` or `host:port`. A final dot (RFC 1034 § 3.1) and the scheme's own port (RFC 9110 § 4.2.3) make no difference.
    fn parse(authority: &str, scheme: &str) -> Option<Self> {
        let end = match authority.find(']') {
            Some(bracket) => bracket + 1,
            None => authority.find(':').unwrap_or(authority.len()),
        };
        let (name, rest) = authority.split_at(end);
        let port = match rest {
            "" | ":" => default_port(scheme),
            _ => rest
                .strip_prefix(':')
                .filter(|port| port.bytes().all(|b| b.is_ascii_digit()))?
                .parse()
                .ok()?,
        };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        (!name.is_empty()).then_some(Self { name, port })
    }
}

fn default_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

impl PublicUrl {
    /// Fails when the base URL has a query, another scheme or no host.
    pub fn new(base_url: Option<&Url>, local: SocketAddr) -> Result<Self, String> {
        let Some(url) = base_url else {
            let authority = format!("localhost:{}", local.port());
            let loopback_port = Some(local.port());
            let path = String::new();
            return Ok(Self { scheme: "http", authority, path, is_configured: false, loopback_port });
        };
        let refuse = |what: &str| {
            format!(
                "COFFER_BASE_URL: {what}. Use scheme, host, port and path, for example https://links.example.org."
            )
        };
        let scheme = match url.scheme() {
            "http" => "http",
            "https" => "https",
            _ => return Err(refuse("the scheme must be http or https")),
        };
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err(refuse("it contains more than an address"));
        }
        let path = path(url).ok_or_else(|| refuse("its path must be of letters, digits, -, _, . and ~"))?;
        let host = url.host_str().ok_or_else(|| refuse("it has no host"))?;
        let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let loopback_port = is_loopback(host).then(|| url.port_or_known_default()).flatten();
        Ok(Self { scheme, authority, path, is_configured: true, loopback_port })
    }

    /// The host alone, for the Message-IDs of emails.
    #[must_use]
    pub fn host(&self) -> String {
        let port = self.authority.rfind(':').filter(|colon| !self.authority[*colon..].contains(']'));
        self.authority[..port.unwrap_or(self.authority.len())].to_owned()
    }

    /// Without a slash at the end: `https://links.example.org`, or `https://example.org/coffer`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority, self.path)
    }

    /// Empty, or as `/coffer`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// `None` if the configuration names none.
    #[must_use]
    pub fn configured(&self) -> Option<String> {
        self.is_configured.then(|| self.address())
    }

    #[must_use]
    pub fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// Browsers take `Secure` cookies on https, and on this machine.
    #[must_use]
    pub fn secure_cookies(&self) -> bool {
        self.is_https() || self.loopback_port.is_some()
    }

    /// Whether a page of ours may name itself by this origin when it was reached by that host.
    #[must_use]
    pub fn is_own_origin(&self, origin: &str, host: &str) -> bool {
        let own = origin.strip_prefix(self.scheme).and_then(|rest| rest.strip_prefix("://"));
        self.serves(host) && own.is_some_and(|own| self.are_same(own, host))
    }

    fn serves(&self, host: &str) -> bool {
        if host.eq_ignore_ascii_case(&self.authority) {
            return true;
        }
        let Some(place) = self.host_port(host) else { return false };
        Some(&place) == self.host_port(&self.authority).as_ref()
            || (self.loopback_port == Some(place.port) && is_loopback(&place.name))
    }

    fn are_same(&self, one: &str, other: &str) -> bool {
        one == other || self.host_port(one).is_some_and(|one| Some(one) == self.host_port(other))
    }

    fn host_port(&self, authority: &str) -> Option<HostPort> {
        HostPort::parse(authority, self.scheme)
    }

    /// HTTP/1's only Host header, or HTTP/2's authority.
    #[must_use]
    pub fn host_of<'a>(&self, headers: &'a HeaderMap, uri: &'a axum::http::Uri) -> Option<&'a str> {
        let mut named = headers.get_all(header::HOST).iter();
        match (named.next(), named.next(), uri.authority()) {
            (Some(host), None, None) => host.to_str().ok(),
            (None, None, Some(authority)) => Some(authority.as_str()),
            (Some(host), None, Some(authority)) => {
                host.to_str().ok().filter(|host| self.are_same(host, authority.as_str()))
            }
            _ => None,
        }
    }
}

/// The path without its last slash; `None` for one that would have to be escaped in a page or a header.
pub fn path(url: &Url) -> Option<String> {
    let path = url.path().trim_end_matches('/');
    let is_plain = |segment: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        !segment.is_empty() && segment.bytes().all(fits)
    };
    (path.is_empty() || path.split('/').skip(1).all(is_plain)).then(|| path.to_owned())
}

/// Of a host as URLs have it: an IPv6 address stands in brackets.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// 400 without exactly one host, 421 for another host.
pub fn check_host(site: &PublicUrl, request: &Request) -> Result<()> {
    match site.host_of(request.headers(), request.uri()) {
        None => {
            Err(Error::Malformed { code: Code::BadHost, message: "Send exactly one Host header.".into() })
        }
        Some(host) if !site.serves(host) => Err(Error::WrongHost(site.configured())),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(base: &str) -> PublicUrl {
        PublicUrl::new(Some(&base.parse().unwrap()), ([127, 0, 0, 1], 3000).into()).unwrap()
    }

    #[test]
    fn answers_for_its_own_host_only() {
        let site = site("https://links.example.org");
        assert!(site.serves("links.example.org"));
        assert!(site.serves("LINKS.example.org"));
        assert!(!site.serves("links.example.org:8443"));
        assert!(!site.serves("evil.example"));
        assert!(!site.serves("localhost"));
    }

    #[test]
    fn a_final_dot_or_the_default_port_makes_no_other_host() {
        let site = site("https://links.example.org");
        for same in
            ["links.example.org:443", "Links.Example.org.", "links.example.org.:443", "links.example.org:"]
        {
            assert!(site.serves(same), "{same}");
            for origin in
                ["https://links.example.org", "https://links.example.org.", "https://links.example.org:443"]
            {
                assert!(site.is_own_origin(origin, same), "{origin} {same}");
            }
            assert!(!site.is_own_origin("http://links.example.org", same));
            assert!(!site.is_own_origin("https://evil.example", same));
        }
        for other in [
            "links.example.org:80",
            "links.example.org:+443",
            "links.example.org:443:443",
            "links.example.org..",
            "a@links.example.org",
            "links.example.org/",
            "links.example.org:99999",
            ".",
            "",
        ] {
            assert!(!site.serves(other), "{other}");
        }
        assert!(super::tests::site("http://nas.lan").serves("nas.lan:80"));
        assert!(super::tests::site("http://nas.lan:8080").serves("nas.lan.:8080"));
        assert!(!super::tests::site("http://nas.lan:8080").serves("nas.lan"));
        assert!(super::tests::site("http://[2001:db8::1]").serves("[2001:db8::1]:80"));
    }

    #[test]
    fn on_this_machine_every_loopback_name_will_do() {
        let site = site("http://localhost:3000");
        assert!(
            site.serves("localhost.:3000")
                && site.serves("127.0.0.1:3000")
                && site.serves("[::1]:3000")
                && site.serves("localhost:3000")
        );
        assert!(!site.serves("127.0.0.1:3001") && !site.serves("example.org:3000"));
        assert!(site.is_own_origin("http://127.0.0.1:3000", "127.0.0.1:3000"));
        assert!(!site.is_own_origin("http://localhost:3000", "127.0.0.1:3000"));
        assert!(!site.is_own_origin("null", "127.0.0.1:3000"));
    }

    #[test]
    fn a_base_url_may_have_a_path_and_nothing_after_it() {
        for (base, path) in [
            ("https://example.org", ""),
            ("https://example.org/", ""),
            ("https://example.org/coffer", "/coffer"),
            ("https://example.org/our/links-2/", "/our/links-2"),
        ] {
            assert_eq!(site(base).path(), path);
            assert_eq!(site(base).address(), format!("https://example.org{path}"));
        }
        for bad in [
            "ftp://example.org",
            "https://example.org/?a=1",
            "https://example.org/a//b",
            "https://example.org/a\"b",
            "https://example.org/bücher",
        ] {
            assert!(
                PublicUrl::new(Some(&bad.parse().unwrap()), ([127, 0, 0, 1], 1).into()).is_err(),
                "{bad}"
            );
        }
    }
}
