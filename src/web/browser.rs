//! A browser's family and system, as its User-Agent claims them, so that users know their devices.

use axum::http::{HeaderMap, header};

const MAX_BYTES: usize = 512;

/// The first match counts. Browsers and systems also name those they descend from, so the descendant comes first.
const BROWSERS: [(&str, &str); 14] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Epiphany/", "GNOME Web"),
    ("Safari/", "Safari"),
];

const SYSTEMS: [(&str, &str); 8] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
    ("BSD", "BSD"),
];

const PROGRAMS: [(&str, &str); 5] = [
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("HTTPie/", "HTTPie"),
    ("python-requests/", "Python"),
    ("Python-urllib/", "Python"),
];

/// `Firefox on Linux`, `curl`, `another program`; one of few, whatever was sent.
pub fn family(headers: &HeaderMap) -> String {
    let sent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = sent.get(..MAX_BYTES).unwrap_or(sent);
    let find = |list: &[(&str, &'static str)]| {
        list.iter().find(|(mark, _)| text.contains(mark)).map(|(_, name)| *name)
    };
    if let Some((_, program)) = PROGRAMS.iter().find(|(mark, _)| text.starts_with(mark)) {
        return (*program).to_owned();
    }
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => "another program".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[track_caller]
    fn is(sent: &str, expected: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, HeaderValue::from_bytes(sent.as_bytes()).unwrap());
        assert_eq!(family(&headers), expected, "{sent}");
    }

    #[test]
    fn browsers_are_told_by_their_families() {
        is("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux");
        is(
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        );
        is(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36 Edg/137.0.0.0",
            "Edge on Windows",
        );
        is(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
            "Safari on macOS",
        );
        is(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/137.0 Mobile/15E148 Safari/604.1",
            "Chrome on iPhone",
        );
        is(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/137.0.0.0 Safari/537.36",
            "Chrome on Linux",
        );
    }

    #[test]
    fn everything_else_is_a_program() {
        is("curl/8.14.1", "curl");
        is("python-requests/2.32", "Python");
        is("", "another program");
        is("<script>alert(1)</script>", "another program");
        is("Mozilla/5.0 (Linux) Fírefox/1", "another program");
        is(&"Firefox/".repeat(10_000), "Firefox");
        is(&format!("{}Firefox/140", "x".repeat(600)), "another program");
        assert_eq!(family(&HeaderMap::new()), "another program");
    }
}
