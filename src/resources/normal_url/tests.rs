//! Tests of `normal_url`: cases that people paste, then laws that hold for every input.

use proptest::prelude::*;

use super::*;

fn key(input: &str) -> String {
    parse(input).unwrap_or_else(|error| panic!("{input}: {error}")).key
}

#[test]
fn keeps_what_was_typed_apart_from_the_key() {
    let saved = parse("  HTTP://WWW.Example.ORG:80/a/../b/?utm_source=x&b=2&a=1#part ").unwrap();
    assert_eq!(saved.url, "http://www.example.org/b/?utm_source=x&b=2&a=1#part");
    assert_eq!(saved.key, "https://example.org/b?a=1&b=2#part");
    assert_eq!(saved.host, "www.example.org");
    assert_eq!(saved.site, "org.example.www");
}

#[test]
fn adds_https_where_no_scheme_is_typed() {
    for (typed, url) in [
        ("example.org", "https://example.org/"),
        ("example.org/path", "https://example.org/path"),
        ("//example.org/x", "https://example.org/x"),
        ("example.org:8080/x", "https://example.org:8080/x"),
        ("localhost:3000", "https://localhost:3000/"),
        ("[::1]:8080/x", "https://[::1]:8080/x"),
        ("bücher.example", "https://xn--bcher-kva.example/"),
        ("example.org/a:b", "https://example.org/a:b"),
        ("\u{FEFF}https://example.org/\u{200B}", "https://example.org/"),
        ("http:example.org", "http://example.org/"),
    ] {
        assert_eq!(parse(typed).unwrap().url, url, "{typed}");
    }
}

#[test]
fn folds_spellings_of_one_address() {
    for (typed, expected) in [
        ("http://example.org", "https://example.org"),
        ("https://example.org/", "https://example.org"),
        ("https://example.org:443/", "https://example.org"),
        ("http://example.org:443/", "https://example.org"),
        ("https://example.org:80/", "https://example.org:80"),
        ("https://example.org./a/", "https://example.org/a"),
        ("https://example.org/a//", "https://example.org/a"),
        ("https://www.example.org/", "https://example.org"),
        ("https://www.com/", "https://www.com"),
        ("https://example.org/%7euser/%e2%82%ac%2F", "https://example.org/~user/%E2%82%AC%2F"),
        ("https://example.org/100%", "https://example.org/100%25"),
        ("https://example.org/%%34%31", "https://example.org/%2541"),
        ("https://example.org/?", "https://example.org"),
        ("https://example.org/?&&", "https://example.org"),
        ("https://example.org/?b=1&a=2&b=0", "https://example.org?a=2&b=1&b=0"),
        ("https://example.org/?UTM_Source=x&fbclid=1&q", "https://example.org?q"),
        ("https://example.org/?%75tm_source=x", "https://example.org"),
        ("https://example.org/a#section", "https://example.org/a#section"),
        ("https://example.org/a#", "https://example.org/a"),
        ("https://example.org/a#Top", "https://example.org/a"),
        ("https://example.org/a#utm_source=x&utm_medium=y", "https://example.org/a"),
        ("https://example.org/a#gid=0&utm_source=x", "https://example.org/a#gid=0"),
        ("https://example.org/a#xtor=RSS-1", "https://example.org/a"),
        ("https://example.org/a#:~:text=tide,table", "https://example.org/a"),
        ("https://example.org/a#part:~:text=tide", "https://example.org/a#part"),
        ("https://example.org/a#/b?utm_source=x", "https://example.org/a#/b"),
        ("https://example.org/a#/b?x=1&fbclid=2", "https://example.org/a#/b?x=1"),
        ("https://mega.example/#F!%6bey", "https://mega.example#F!key"),
        ("https://example.org/#!/inbox", "https://example.org#!/inbox"),
        ("https://example.org/#/inbox", "https://example.org#/inbox"),
        ("https://example.org/#/", "https://example.org#/"),
        ("https://example.org/?pk_campaign=a&mtm_source=b&hsa_acc=c&piwik_kwd=d", "https://example.org"),
        ("https://BÜCHER.example/", "https://xn--bcher-kva.example"),
        ("http://0x7f.1/", "https://127.0.0.1"),
    ] {
        assert_eq!(key(typed), expected, "{typed}");
    }
}

#[test]
fn different_pages_stay_different() {
    for (one, other) in [
        ("https://example.org/a", "https://example.org/A"),
        ("https://example.org/a%2Fb", "https://example.org/a/b"),
        ("https://example.org/?a=1", "https://example.org/?a=2"),
        ("https://example.org/?a=1&a=2", "https://example.org/?a=2&a=1"),
        ("https://example.org/", "https://example.org:8443/"),
        ("https://a.example.org/", "https://b.example.org/"),
        ("https://example.org/#/a", "https://example.org/#/b"),
        ("https://example.org/#a", "https://example.org/#b"),
        ("https://example.org/#a", "https://example.org/"),
        ("https://example.org/#gid=0", "https://example.org/#gid=77"),
        ("https://example.org/#F!key", "https://example.org/#F!other"),
        ("https://example.org/#!", "https://example.org/"),
        ("https://example.org/#top1", "https://example.org/"),
        ("https://example.org/?pk_id=1", "https://example.org/?pk_id=2"),
        ("https://example.org/?pk_id=1", "https://example.org/"),
        ("https://example.org/?mtm_id=1", "https://example.org/"),
        ("https://example.org/?hsa_id=1", "https://example.org/"),
        ("https://example.org/?utm_zone=32", "https://example.org/?utm_zone=33"),
        ("https://example.org/?piwik_site=1", "https://example.org/"),
    ] {
        assert_ne!(key(one), key(other));
    }
}

#[test]
fn refuses_with_a_reason() {
    let scheme = |name: &str| UrlError::Scheme(name.to_owned());
    for (typed, error) in [
        ("", UrlError::Empty),
        (" \n", UrlError::Empty),
        ("javascript:alert(1)", UrlError::Bookmarklet),
        ("JavaScript:1", UrlError::Bookmarklet),
        ("data:text/html,x", scheme("data")),
        ("file:///etc/passwd", scheme("file")),
        ("mailto:a@example.org", scheme("mailto")),
        ("tel:123", scheme("tel")),
        ("place:sort=8", scheme("place")),
        ("ftp://example.org/", scheme("ftp")),
        ("https://", UrlError::NoHost),
        ("https://./", UrlError::NoHost),
        ("/path", UrlError::NoHost),
        ("hello", UrlError::Unparsable),
        ("two words", UrlError::Unparsable),
        ("https://a b.example/", UrlError::Unparsable),
        ("https://a..example/", UrlError::Unparsable),
        ("https://example.org:99999/", UrlError::Unparsable),
        ("https://[::1/", UrlError::Unparsable),
        ("https://me@example.org/", UrlError::Credentials),
        ("https://me:pw@example.org/", UrlError::Credentials),
        ("me@example.org", UrlError::Credentials),
        ("https://example.org/\0", UrlError::Control),
        ("java\nscript:alert(1)", UrlError::Control),
        ("https://exam\tple.org/", UrlError::Control),
    ] {
        assert_eq!(parse(typed), Err(error), "{typed:?}");
    }
}

#[test]
fn bounds_the_length_as_typed_and_as_stored() {
    let of = |n: usize, c: char| format!("https://example.org/{}", c.to_string().repeat(n));
    assert!(parse(&of(1_980, 'a')).is_ok());
    assert_eq!(parse(&of(1_981, 'a')), Err(UrlError::TooLong));
    assert_eq!(parse(&of(1_000, 'ä')), Err(UrlError::TooLong));
    let long = format!("(function(){{\n{}}})()", "a;".repeat(2_000));
    assert_eq!(parse(&format!(" JavaScript:{long}")), Err(UrlError::Bookmarklet));
    assert_eq!(parse(&format!("data:text/html,{long}")), Err(UrlError::Scheme("data".into())));
}

#[test]
fn error_messages_are_sentences() {
    for error in [UrlError::Empty, UrlError::TooLong, UrlError::Scheme("data".into()), UrlError::NoHost] {
        assert!(error.to_string().ends_with('.'));
    }
}

#[test]
fn sites_share_a_prefix_with_their_subdomains() {
    assert_eq!(site_of("www.Example.org."), "org.example.www");
    assert_eq!(site_of("localhost"), "localhost");
    assert_eq!(site_of("192.0.2.1"), "192.0.2.1");
    assert_eq!(site_of("[::1]"), "[::1]");
}

#[test]
fn addresses_are_shown_as_people_read_them() {
    for (typed, seen) in [
        ("https://пример.example/страница", "https://пример.example/страница"),
        ("https://münchen.example/straße?q=ä#ö", "https://münchen.example/straße?q=ä#ö"),
        (
            "https://de.wikipedia.example/wiki/Z%C3%BCrich_(Stadt)",
            "https://de.wikipedia.example/wiki/Zürich_(Stadt)",
        ),
        ("https://東京.example:8080/タワー", "https://東京.example:8080/タワー"),
        ("https://example.org/%F0%9F%A6%80", "https://example.org/🦀"),
        ("https://example.org/שלום", "https://example.org/שלום"),
        ("https://example.org/%7Euser", "https://example.org/~user"),
    ] {
        assert_eq!(shown(&parse(typed).unwrap().url), seen, "{typed}");
    }
}

#[test]
fn what_could_pass_for_something_else_stays_encoded() {
    // Cyrillic doubles of Latin letters, two scripts in a label, a dotless i, from right to left.
    for typed in [
        "https://аррӏе.example/",
        "https://pаypal.example/",
        "https://facebıok.example/",
        "https://ѕсоре.example/",
        "https://שלום.example/",
        "https://مثال.example/",
    ] {
        let url = parse(typed).unwrap().url;
        assert_eq!(shown(&url), url, "{typed}");
        assert!(host_shown(&parse(typed).unwrap().host).starts_with("xn--"), "{typed}");
    }
    for kept in [
        "%2F", "%3F", "%23", "%25", "%20", "%26", "%3D", "%00", "%0A", "%7F", "%C2%85", "%C2%A0", "%C2%AD",
        "%E2%80%8B", "%E2%80%AE", "%E2%81%A6", "%D8%9C", "%EF%BB%BF", "%E2%80%83", "%E3%85%A4", "%E2%88%95",
        "%E2%81%84", "%EF%BC%8F", "%EF%BF%BD", "%C3", "%FF", "%CC%81", "%EE%80%80", "%E2%80%A8",
        "%F3%A0%81%81", "%", "%4", "%ZZ", "%EF%B8%8F",
    ] {
        let url = format!("https://example.org/{kept}");
        assert_eq!(shown(&url), url);
    }
    assert_eq!(shown("https://example.org/%C3%BC%2F%C3%BC%C3"), "https://example.org/ü%2Fü%C3");
}

fn web_address() -> impl Strategy<Value = String> {
    (
        prop::sample::select(vec!["http://", "https://", ""]),
        "(www\\.)?[a-zA-Z0-9äß-]{1,12}\\.(org|com|example)\\.?",
        prop::option::of(prop::sample::select(vec![80_u16, 443, 8080])),
        "(/[a-zA-Z0-9%./äß ~]{0,6}){0,4}",
        prop::option::of("[a-c=&%0-9+ ]{0,16}|utm_source=x&a=1"),
        prop::option::of("[!/a-z%0-9]{0,8}"),
    )
        .prop_map(|(scheme, host, port, path, query, fragment)| {
            let port = port.map(|p| format!(":{p}")).unwrap_or_default();
            let query = query.map(|q| format!("?{q}")).unwrap_or_default();
            let fragment = fragment.map(|f| format!("#{f}")).unwrap_or_default();
            format!("{scheme}{host}{port}{path}{query}{fragment}")
        })
}

fn assert_laws(input: &str) -> Result<(), TestCaseError> {
    let Ok(saved) = parse(input) else { return Ok(()) };
    let of_key = parse(&saved.key).map_err(|error| TestCaseError::fail(format!("{}: {error}", saved.key)))?;
    prop_assert_eq!(&of_key.key, &saved.key);
    let of_url = parse(&saved.url).map_err(|error| TestCaseError::fail(format!("{}: {error}", saved.url)))?;
    prop_assert_eq!(&of_url, &saved);
    prop_assert!(saved.url.len() <= MAX_LENGTH && saved.key.len() <= MAX_LENGTH);
    prop_assert!(saved.host.is_ascii() && saved.host == saved.host.to_ascii_lowercase());
    prop_assert_eq!(site_of(&site_of(&saved.host)), saved.host);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_text_is_refused_or_normal(input in "\\PC{0,60}") {
        assert_laws(&input)?;
        assert_laws(&format!("https://{input}"))?;
        assert_laws(&format!("http://example.org/{input}"))?;
    }

    #[test]
    fn shown_addresses_lead_to_the_same_page_and_hide_nothing(input in web_address(), bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        let escaped: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        if let Ok(saved) = parse(&format!("{input}/{escaped}")) {
            let shown = shown(&saved.url);
            prop_assert!(!shown.chars().any(|c| c.is_control() || c.is_whitespace()), "{shown}");
            if let Ok(again) = parse(&shown) {
                prop_assert_eq!(again.key, saved.key, "{}", shown);
            }
        }
    }

    #[test]
    fn every_address_is_normal(input in web_address()) {
        assert_laws(&input)?;
    }

    #[test]
    fn host_case_and_tracking_do_not_change_the_key(
        host in "[a-z]{1,10}\\.org", path in "(/[a-z0-9]{1,5}){0,3}", campaign in "[a-z]{0,8}",
    ) {
        let plain = key(&format!("https://{host}{path}?q=1"));
        let upper = host.to_uppercase();
        let noisy = key(&format!("https://{upper}{path}?utm_campaign={campaign}&q=1&gclid={campaign}#utm_source={campaign}"));
        prop_assert_eq!(plain, noisy);
    }

    #[test]
    fn different_paths_never_collide(one in "/[abAB/-]{0,4}", other in "/[abAB/-]{0,4}") {
        let at = |path: &str| key(&format!("https://example.org{path}"));
        prop_assert_eq!(at(&one) == at(&other), one.trim_end_matches('/') == other.trim_end_matches('/'));
    }
}
