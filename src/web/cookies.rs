//! Every cookie that coffer sets or reads goes through here, and through the cookie crate.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
pub use cookie::Cookie;
use cookie::SameSite;

use crate::public_url::PublicUrl;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    Session,
    RememberMe,
    Device,
    Flash,
    OneTimeSecret,
    Display,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Until it is closed.
    Browser,
    For(Duration),
}

impl Life {
    fn max_age(self) -> Option<time::Duration> {
        let Self::For(life) = self else { return None };
        Some(time::Duration::try_from(life).unwrap_or(time::Duration::MAX))
    }
}

/// By this prefix a browser holds a cookie to one host alone (RFC 6265bis § 4.1.3.2).
const PREFIX: &str = "__Host-";

impl Name {
    const fn secure(self) -> &'static str {
        match self {
            Self::Session => "__Host-coffer",
            Self::RememberMe => "__Host-coffer-stay",
            Self::Device => "__Host-coffer-device",
            Self::Flash => "__Host-coffer-notice",
            Self::OneTimeSecret => "__Host-coffer-once",
            Self::Display => "__Host-coffer-display",
        }
    }

    fn as_str(self) -> &'static str {
        self.secure().trim_start_matches(PREFIX)
    }

    /// The name has a prefix where the site is on https.
    #[must_use]
    pub fn on(self, site: &PublicUrl) -> &'static str {
        if site.secure_cookies() { self.secure() } else { self.as_str() }
    }

    const fn same_site(self) -> SameSite {
        match self {
            Self::OneTimeSecret => SameSite::Strict,
            Self::Session | Self::RememberMe | Self::Device | Self::Flash | Self::Display => SameSite::Lax,
        }
    }
}

/// The first cookie of this name that `read` accepts: other programs on the host set cookies too, of any bytes.
pub fn find<T>(
    site: &PublicUrl,
    headers: &HeaderMap,
    name: Name,
    mut read: impl FnMut(&str) -> Option<T>,
) -> Option<T> {
    let lines = headers.get_all(header::COOKIE).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
    let mut sent = lines.flat_map(Cookie::split_parse).flatten().filter(|sent| sent.name() == name.on(site));
    sent.find_map(|sent| read(sent.value_trimmed()))
}

/// A cookie for an answer; [`secure`] completes it.
#[must_use]
pub fn new(name: Name, value: &str, life: Life) -> Cookie<'static> {
    let mut cookie = Cookie::new(name.as_str(), value.to_owned());
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(name.same_site());
    cookie.set_max_age(life.max_age());
    cookie
}

#[must_use]
pub fn removal(name: Name) -> Cookie<'static> {
    new(name, "", Life::For(Duration::ZERO))
}

pub fn add(headers: &mut HeaderMap, cookies: impl IntoIterator<Item = Cookie<'static>>) {
    for cookie in cookies {
        // All of ours are ASCII.
        if let Ok(line) = HeaderValue::try_from(cookie.to_string()) {
            headers.append(header::SET_COOKIE, line);
        }
    }
}

/// Whether the answer sets a cookie of this name, or takes it back.
#[must_use]
pub fn is_set(headers: &HeaderMap, name: Name) -> bool {
    set(headers).any(|cookie| cookie.name() == name.as_str())
}

pub fn keep(site: &PublicUrl, headers: &mut HeaderMap, name: Name, life: Life) {
    change(headers, |cookie| {
        if cookie.name() == name.on(site) {
            cookie.set_max_age(life.max_age());
        }
    });
}

/// Completes an answer's cookies where browsers take `Secure` ones: they go over https alone, and to this host alone.
pub fn secure(site: &PublicUrl, headers: &mut HeaderMap) {
    if site.secure_cookies() {
        change(headers, |cookie| {
            if !cookie.name().starts_with(PREFIX) {
                cookie.set_name(format!("{PREFIX}{}", cookie.name()));
            }
            cookie.set_secure(true);
        });
    }
}

fn change(headers: &mut HeaderMap, mut change: impl FnMut(&mut Cookie<'static>)) {
    let mut cookies: Vec<_> = set(headers).collect();
    cookies.iter_mut().for_each(&mut change);
    headers.remove(header::SET_COOKIE);
    add(headers, cookies);
}

fn set(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'static>> {
    let lines = headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.filter_map(|line| Cookie::parse(line.to_owned()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(base: &str) -> PublicUrl {
        PublicUrl::new(Some(&base.parse().unwrap()), ([127, 0, 0, 1], 3000).into()).unwrap()
    }

    /// What stands in the session's cookie, where these lines are sent to a site on plain http.
    fn session(lines: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        let value = |value: &str| (value.len() == 3).then(|| value.to_owned());
        find(&site("http://nas.lan:4725"), &headers, Name::Session, value)
    }

    #[test]
    fn foreign_cookies_do_not_matter() {
        let lines: [&[&[u8]]; 14] = [
            &[b"coffer=abc"],
            &[b" coffer = abc ;"],
            &["name=J\u{fc}rgen; coffer=abc".as_bytes()],
            &[b"name=J\xfcrgen; coffer=abc"],
            &[b"name=\xc3;coffer=abc"],
            &[b"\xff\xfe=\x80; coffer=abc; n\xe4me=\xf0\x9f"],
            &[b"a=1", b"name=J\xfcrgen", b"coffer=abc"],
            &[b"coffer=\"abc\""],
            &[b"; ;;=; =x; flag; coffer=abc; coffers=xyz"],
            &[b"prefs=\"a;b=\"; coffer=abc"],
            &[b"prefs=\"x; coffer=fake\"; coffer=abc"],
            &[b"coffer=somebody-else's; coffer=abc"],
            &[b"coffer=; coffer=abc; coffer=xyz"],
            &[b"COFFER=xyz; __Host-coffer=xyz; coffer=abc"],
        ];
        for lines in lines {
            assert_eq!(session(lines).as_deref(), Some("abc"), "{lines:?}");
        }
        for lines in [&[][..], &[b"".as_slice()], &[b"x=coffer=abc"], &[b"coffer"], &[b"name=J\xfc; coffer="]]
        {
            assert_eq!(session(lines), None, "{lines:?}");
        }
    }

    #[test]
    fn cookies_are_this_hosts_alone_where_browsers_know_how() {
        let lines = |base: &str| {
            let mut headers = HeaderMap::new();
            add(&mut headers, [new(Name::Session, "abc", Life::Browser)]);
            add(
                &mut headers,
                [new(Name::OneTimeSecret, "x", Life::For(Duration::from_mins(1))), removal(Name::RememberMe)],
            );
            assert!(is_set(&headers, Name::RememberMe) && !is_set(&headers, Name::Flash));
            secure(&site(base), &mut headers);
            headers
                .get_all(header::SET_COOKIE)
                .iter()
                .map(|l| l.to_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        for base in ["https://links.example.org", "http://localhost:3000"] {
            assert_eq!(
                lines(base),
                [
                    "__Host-coffer=abc; HttpOnly; SameSite=Lax; Secure; Path=/",
                    "__Host-coffer-once=x; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=60",
                    "__Host-coffer-stay=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0",
                ]
            );
        }
        assert_eq!(lines("http://nas.lan")[0], "coffer=abc; HttpOnly; SameSite=Lax; Path=/");
    }
}
