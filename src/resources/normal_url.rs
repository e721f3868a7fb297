//! Web addresses: the stored form, and the normal form that finds duplicates.

mod shown;
mod tracking;

use std::net::IpAddr;

use url::{Host, Url};

pub use shown::{host_shown, readable, shown};

/// The longest address, as typed and as stored; it also keeps `key` within a B-tree index entry.
pub const MAX_LENGTH: usize = 2_000;

/// The only name without a dot that is a host even without a scheme.
const LOCAL: &str = "localhost";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NormalUrl {
    /// The address as the WHATWG URL standard serialises it, with its fragment and parameters.
    pub url: String,
    /// The normal form for duplicate detection (RFC 3986 §6.2.2–6.2.4); itself a valid address.
    pub key: String,
    /// Lower-case ASCII host (punycode), without port and trailing dot; IPv6 in brackets.
    pub host: String,
    /// The host as [`site_of`] writes it: `org.example.www`.
    pub site: String,
}

impl NormalUrl {
    /// The path as it is stored: from its first slash up to the query and the fragment.
    pub fn path(&self) -> &str {
        let rest = self.url.split_once("://").map_or("", |(_, rest)| rest);
        let path = rest.find('/').map_or("", |at| &rest[at..]);
        path.split(['?', '#']).next().unwrap_or_default()
    }
}

/// Why an address is refused, as a sentence for the form field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("Enter the address of a page, for example https://example.org/page.")]
    Empty,
    #[error("This address is longer than 2,000 characters. Enter a shorter one that leads to the same page.")]
    TooLong,
    #[error("“{0}:” addresses can’t be saved. Enter one that starts with https:// or http://.")]
    Scheme(String),
    #[error(
        "This is a bookmarklet (“javascript:”), not the address of a page. coffer can’t save bookmarklets."
    )]
    Bookmarklet,
    #[error("This address has no website name. Enter it in full, for example https://example.org/page.")]
    NoHost,
    #[error(
        "This isn’t a valid web address. Check it for spaces and typos. It should look like https://example.org/page."
    )]
    Unparsable,
    #[error("This address contains a username or password. Remove the part up to “@” and try again.")]
    Credentials,
    #[error("This address contains an invisible control character. Delete it, or copy the address again.")]
    Control,
}

/// Parses what a person typed or pasted. An address without a scheme gets `https://`.
pub fn parse(input: &str) -> Result<NormalUrl, UrlError> {
    let typed = input.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{200B}' | '\u{FEFF}'));
    if typed.is_empty() {
        return Err(UrlError::Empty);
    }
    // Before the length, since shortening would not help here.
    if let Some(error) = wrong_scheme(typed) {
        return Err(error);
    }
    if input.chars().count() > MAX_LENGTH {
        return Err(UrlError::TooLong);
    }
    if typed.chars().any(char::is_control) {
        return Err(UrlError::Control);
    }
    let url = Url::parse(&with_scheme(typed)?).map_err(|error| match error {
        url::ParseError::EmptyHost => UrlError::NoHost,
        _ => UrlError::Unparsable,
    })?;
    normalise(&url)
}

/// The labels of a host reversed, so that a site and all its subdomains share a prefix:
/// `www.example.org` → `org.example.www`. IP addresses stay as they are.
pub fn site_of(host: &str) -> String {
    let host = host.trim_matches('.').to_lowercase();
    if host.starts_with('[') || host.parse::<IpAddr>().is_ok() {
        return host;
    }
    host.rsplit('.').collect::<Vec<_>>().join(".")
}

fn with_scheme(typed: &str) -> Result<String, UrlError> {
    if let Some(rest) = typed.strip_prefix("//") {
        return Ok(format!("https://{rest}"));
    }
    if typed.starts_with(['/', '?', '#', '\\']) {
        return Err(UrlError::NoHost);
    }
    let Some((name, rest)) = typed.split_once(':').filter(|(name, _)| is_scheme(name)) else {
        return without_scheme(typed);
    };
    let without = is_host_before_port(name, rest) && !is_web(name);
    Ok(if without { format!("https://{typed}") } else { typed.to_owned() })
}

fn wrong_scheme(typed: &str) -> Option<UrlError> {
    let (name, rest) = typed.split_once(':').filter(|(name, _)| is_scheme(name))?;
    if is_web(name) || is_host_before_port(name, rest) {
        return None;
    }
    match name.to_ascii_lowercase().as_str() {
        "javascript" => Some(UrlError::Bookmarklet),
        other => Some(UrlError::Scheme(other.chars().take(20).collect())),
    }
}

fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// RFC 3986 §3.1.
fn is_scheme(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

fn is_host_before_port(name: &str, rest: &str) -> bool {
    let port = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (name.contains('.') || name.eq_ignore_ascii_case(LOCAL))
        && !port.is_empty()
        && port.chars().all(|c| c.is_ascii_digit())
}

/// A single word is more often a mistake than the name of a machine.
fn without_scheme(typed: &str) -> Result<String, UrlError> {
    let host = typed.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let plausible =
        host.contains(['.', '。', '@']) || host.eq_ignore_ascii_case(LOCAL) || host.starts_with('[');
    if plausible { Ok(format!("https://{typed}")) } else { Err(UrlError::Unparsable) }
}

fn normalise(url: &Url) -> Result<NormalUrl, UrlError> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Credentials);
    }
    let host = host_of(url)?;
    let key = key_of(url, &host);
    let url = url.to_string();
    if url.len() > MAX_LENGTH || key.len() > MAX_LENGTH {
        return Err(UrlError::TooLong);
    }
    Ok(NormalUrl { url, key, site: site_of(&host), host })
}

fn host_of(url: &Url) -> Result<String, UrlError> {
    let host = match url.host().ok_or(UrlError::NoHost)? {
        Host::Domain(name) => name.strip_suffix('.').unwrap_or(name).to_owned(),
        address => address.to_string(),
    };
    match host.as_str() {
        "" => Err(UrlError::NoHost),
        name if name.split('.').any(str::is_empty) => Err(UrlError::Unparsable),
        _ => Ok(host),
    }
}

fn key_of(url: &Url, host: &str) -> String {
    let mut key = format!("https://{}", without_www(host));
    // 443 is written out only in http://…:443, which the folded scheme turns into the default.
    if let Some(port) = url.port().filter(|port| *port != 443) {
        key.push(':');
        key.push_str(&port.to_string());
    }
    key.push_str(normal_escapes(url.path()).trim_end_matches('/'));
    if let Some(query) = url.query().and_then(normal_query) {
        key.push('?');
        key.push_str(&query);
    }
    if let Some(fragment) = url.fragment().and_then(normal_fragment) {
        key.push('#');
        key.push_str(&fragment);
    }
    key
}

fn without_www(host: &str) -> &str {
    match host.strip_prefix("www.") {
        Some(rest) if rest.contains('.') => without_www(rest),
        _ => host,
    }
}

/// A fragment without the parts that don't change the page: `top`, tracking parameters, and text to highlight
/// (`:~:text=`, WICG scroll-to-text).
fn normal_fragment(fragment: &str) -> Option<String> {
    let fragment = normal_escapes(fragment);
    let said = fragment.split_once(":~:").map_or(fragment.as_str(), |(said, _)| said);
    // A route inside a script application may have parameters of its own.
    let (route, pairs) = said.split_at(said.find('?').map_or(0, |at| at + 1));
    let kept: Vec<&str> = pairs.split('&').filter(|pair| !tracking::is_tracking(name_of(pair))).collect();
    let kept = format!("{route}{}", kept.join("&"));
    let kept = if pairs.is_empty() { kept.as_str() } else { kept.trim_end_matches('?') };
    (!kept.is_empty() && !kept.eq_ignore_ascii_case("top")).then(|| kept.to_owned())
}

fn normal_query(query: &str) -> Option<String> {
    let mut pairs: Vec<String> = query
        .split('&')
        .map(normal_escapes)
        .filter(|pair| !pair.is_empty() && !tracking::is_tracking(name_of(pair)))
        .collect();
    pairs.sort_by(|a, b| name_of(a).cmp(name_of(b)));
    (!pairs.is_empty()).then(|| pairs.join("&"))
}

fn name_of(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default()
}

/// Percent-encoding in one spelling (RFC 3986 §6.2.2.1–2): upper-case digits, unreserved characters
/// decoded, and a stray `%` encoded so that decoding its neighbours can't make a new escape.
fn normal_escapes(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        let octet = after.get(..2).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        if let Some(byte) = octet.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            push_octet(&mut normal, byte);
            rest = &after[2..];
        } else {
            normal.push_str("%25");
            rest = after;
        }
    }
    normal.push_str(rest);
    normal
}

fn push_octet(normal: &mut String, byte: u8) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
        normal.push(char::from(byte));
    } else {
        normal.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

#[cfg(test)]
mod tests;
