use super::*;

#[test]
fn nothing_is_logged_that_could_be_a_secret() {
    let blocked = origin("https://evil.example:8443/steal?token=canary#canary");
    assert_eq!(blocked.as_deref(), Some("https://evil.example"));
    let page = section("https://links.example.org/password/reset/canary?next=canary");
    assert_eq!(page.as_deref(), Some("/password"));
}

#[test]
fn unknown_words_are_not_repeated() {
    for (blocked, page) in [("", ""), ("javascript", "nowhere"), ("\0", "http://a/CANARY")] {
        assert_eq!((origin(blocked), section(page)), (None, None), "{blocked} {page}");
    }
    assert_eq!(origin("inline").as_deref(), Some("inline"));
    assert_eq!(origin("javascript:alert(1)").as_deref(), Some("javascript:"));
    assert_eq!(origin(&format!("https://{}.example", "a".repeat(200))), None);
}
