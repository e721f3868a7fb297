//! Tests of `query`: what people type, what they are told, what the engines get.

use proptest::prelude::*;
use time::macros::date;

use super::super::{Kind, Visibility, index_terms};
use super::*;

fn read(text: &str) -> Query {
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What PostgreSQL's index is asked, and in brackets what the rows' texts must match.
fn postgres(text: &str) -> String {
    let part = |group: &Group| {
        let PgGroup { words, index_terms, phrases, negated, .. } = to_postgres(group);
        assert!(index_terms.is_none() || text.contains('.'), "{text}");
        let seen = if phrases.is_empty() { String::new() } else { format!(" [{}]", phrases.join("] [")) };
        format!("{}{}{seen}", if negated { "!" } else { "" }, words.unwrap_or_default())
    };
    read(text).text.iter().map(part).collect::<Vec<_>>().join(" & ")
}

fn title(words: &[&str], prefix: bool) -> Criterion {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    Criterion::Title(Term { words, prefix, ..Term::default() })
}

fn term_of_sign(text: &str) -> String {
    index_terms::sign(text)
}

fn criteria(text: &str) -> Vec<Criterion> {
    read(text).filters.into_iter().map(|filter| filter.criterion).collect()
}

#[test]
fn words_phrases_and_operators_compile_for_postgres() {
    for (text, expected) in [
        ("", ""),
        ("  ", ""),
        ("tide ", "'tide'"),
        ("Tide Tab", "'tide' & 'tab':*"),
        ("tide a", "'tide' & 'a'"),
        ("\"tide tables\"", "('tide' & 'tables') [% tide tables %]"),
        ("“tide tables”", "('tide' & 'tables') [% tide tables %]"),
        ("\"tide tables", "('tide' & 'tables') [% tide tables %]"),
        ("say\"tide\"", "'say' & 'tide'"),
        ("foo-bar ", "('foo' & 'bar') [% foo bar %]"),
        ("foo-bar", "('foo' & 'bar':*) [% foo bar%]"),
        ("-tide ", "!'tide'"),
        ("-tide", "!'tide'"),
        ("-\"tide tables\" -x", "!('tide' & 'tables') [% tide tables %] & !'x'"),
        ("--release ", "'release'"),
        ("a - b ", "'a' & 'b'"),
        ("a or b ", "('a' | 'b')"),
        ("a OR b oR \"c d\" e ", "('a' | 'b' | ('c' & 'd')) [% c d %] & 'e'"),
        ("x a or be", "'x' & ('a' | 'be':*)"),
        ("rock or", "'rock' & 'or':*"),
        ("rock or ", "'rock' & 'or'"),
        ("or rock ", "'or' & 'rock'"),
        ("or", "'or':*"),
        ("a or or b ", "'a' & ('or' | 'b')"),
        ("Find: the needle ", "'find' & 'the' & 'needle'"),
        ("Mind: the gap ", "'mind' & 'the' & 'gap'"),
        ("Side: effects ", "'side' & 'effects'"),
        ("Site: plan ", "'site' & 'plan'"),
        ("After: the fact ", "'after' & 'the' & 'fact'"),
        ("find:x -mind:y ", "('find' & 'x') [% find x %] & !('mind' & 'y') [% mind y %]"),
        ("\"or\" ", "'or'"),
        ("++ or a ", "'a'"),
        ("++ or -- b ", "'b'"),
        ("++ a -- ", "'a'"),
        ("東京 ", "('東' & '京') [% 東 京 %]"),
        (
            "foo:bar https://example.org/x ",
            "('foo' & 'bar') [% foo bar %] & ('example' & 'org' & 'x') [% example org x %]",
        ),
        ("a\0b'c\\d ", "('a' & 'b' & 'c' & 'd') [% a b c d %]"),
    ] {
        assert_eq!(postgres(text), expected, "{text}");
    }
}

#[test]
fn words_phrases_and_operators_compile_for_fts5() {
    let fts = |text: &str| to_fts5(&read(text).text).map(|fts| (fts.matching, fts.excluding));
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(fts(""), None);
    assert_eq!(fts("++"), None);
    assert_eq!(fts("a or b \"c d\" ef"), Some((text(r#"("a" OR "b") AND "c d" AND "ef"*"#), None)));
    assert_eq!(fts("a -b -\"c d\" "), Some((text(r#""a""#), text(r#""b" OR "c d""#))));
    assert_eq!(fts("-b"), Some((None, text(r#""b""#))));
}

#[test]
fn filters_are_read() {
    let site = |site: &str, path: &str| Criterion::Site { site: site.into(), path: path.into() };
    for (text, expected) in [
        ("tag:Work/Rust", Criterion::Tag("work/rust".into())),
        ("TAG:\"two  words\"", Criterion::Tag("two words".into())),
        ("tag:#x", Criterion::Tag("x".into())),
        ("site:www.Example.org", site("org.example.www", "")),
        ("site:https://bücher.example/path", site("example.xn--bcher-kva", "/path")),
        ("site:github.com/x/", site("com.github", "/x")),
        ("site:github.com/x/y?z#a", site("com.github", "/x/y")),
        ("site:github.com/", site("com.github", "")),
        ("by:@Alice", Criterion::By("alice".into())),
        ("by:me", Criterion::Mine),
        ("by:@me", Criterion::By("me".into())),
        ("title:\"Tide  Tables\"", title(&["tide", "tables"], true)),
        ("title:C", title(&["c"], false)),
        ("url:Docs/Install", Criterion::Url(vec!["docs/install".into()])),
        ("url:bücher", Criterion::Url(vec!["bücher".into(), "b%c3%bccher".into(), "xn--bcher-kva".into()])),
        ("has:notes", Criterion::HasNotes),
        ("is:private", Criterion::Visibility(Visibility::Private)),
        ("is:Members", Criterion::Visibility(Visibility::Members)),
        ("is:public", Criterion::Visibility(Visibility::Public)),
        ("kind:note", Criterion::Kind(Kind::Note)),
        ("kind:link", Criterion::Kind(Kind::Link)),
        ("is:pinned", Criterion::Pinned),
        ("is:unread", Criterion::Unread),
        ("is:untagged", Criterion::Untagged),
        ("is:broken", Criterion::Broken),
        ("visibility:members", Criterion::Visibility(Visibility::Members)),
        ("before:2026-01-01", Criterion::Before(date!(2026 - 01 - 01))),
        ("after:2024-02-29", Criterion::After(date!(2024 - 02 - 29))),
        ("after:2024", Criterion::After(date!(2024 - 01 - 01))),
        ("before:2024-07", Criterion::Before(date!(2024 - 07 - 01))),
    ] {
        assert_eq!(criteria(text), [expected], "{text}");
    }
}

#[test]
fn filters_stand_beside_words_and_can_be_negated() {
    let query = read("tide -tag:\"two words\" -is:pinned tab");
    assert_eq!(query.highlights().len(), 2);
    assert!(query.filters.iter().all(|filter| filter.negated) && query.filters.len() == 2);
    assert_eq!(postgres("tide tag:x"), "'tide'");
}

#[test]
fn what_cannot_be_run_is_a_sentence_with_a_position() {
    for (text, position, part) in [
        ("a before:2026-02-30", 2, "year-month-day"),
        ("after:yesterday", 0, "year-month-day"),
        ("after:", 0, "year-month-day"),
        ("after:2024-13", 0, "year-month-day"),
        ("before:20244", 0, "year-month-day"),
        ("title:", 0, "title:harbour"),
        ("title:++", 0, "title:harbour"),
        ("url:", 0, "url:docs"),
        ("has:x", 0, "has:notes"),
        ("has:tags", 0, "-is:untagged"),
        ("after:+026-01-01", 0, "year-month-day"),
        ("tag:", 0, "tag:recipes"),
        ("tag:a,b", 0, "comma"),
        ("site:", 0, "site:example.org"),
        ("site:a_b/c..d://", 0, "site:example.org"),
        ("by:a'b", 0, "by:alice"),
        ("kind:x", 0, "kind:link"),
        ("is:x", 0, "is:pinned"),
        ("visibility:x", 0, "visibility:public"),
        ("a or -b", 5, "“-”"),
        ("-a or b", 0, "“-”"),
        ("a or tag:x", 5, "filters"),
    ] {
        let error = parse(text).expect_err(text);
        assert_eq!(error.position, position, "{text}");
        assert!(error.message.contains(part) && error.message.ends_with('.'), "{text}: {error}");
    }
}

#[test]
fn a_misspelled_filter_is_words_and_can_be_corrected() {
    for (text, position, corrected) in [
        ("tide tags:x", 5, Some("tide tag:x")),
        ("-atg:x ", 0, Some("-tag:x ")),
        ("Titel:kube", 0, Some("title:kube")),
        ("ä vsibility:public", 2, Some("ä visibility:public")),
        ("tags:\"deep sea\"", 0, Some("tag:\"deep sea\"")),
        ("kinds:book", 0, None),
        ("weather:sunny", 0, None),
    ] {
        let query = read(text);
        assert!(query.filters.is_empty() && !query.text.is_empty(), "{text}");
        let unknown = query.unknown_filter.expect(text);
        assert_eq!((unknown.position, unknown.corrected(text).as_deref()), (position, corrected), "{text}");
    }
}

#[test]
fn what_says_nothing_finds_nothing() {
    for text in ["+++", "\"\"", "\"", "-", "++ --", "-+++", "&", "\"  \"", "+++ \"\""] {
        assert!(read(text).says_nothing, "{text}");
    }
    for text in ["", "  ", "a", "-a", "+++ a", "tag:x", "+++ tag:x", "🦀", "-🦀"] {
        assert!(!read(text).says_nothing, "{text}");
    }
}

#[test]
fn signs_are_looked_for_as_marks() {
    let only = |text: &str| read(text).text.into_iter().flat_map(|group| group.terms).next().expect("a term");
    assert_eq!(only("🦀").index_terms, [term_of_sign("🦀")]);
    assert_eq!(only("\"🦀→\"").index_terms, [term_of_sign("🦀"), term_of_sign("→")]);
    assert!(only("-🦀").negated && only("-🦀").words.is_empty());
    // A word with its signs is looked for by the word; what has the signs too comes first.
    for text in ["c++ ", "C# ", "f#", ".net"] {
        let query = read(text);
        assert_eq!(query.text[0].literal, [term_of_sign(text.trim().to_lowercase().as_str())], "{text}");
        assert!(!query.text[0].terms[0].words.is_empty() && query.literally().is_some());
    }
    assert_eq!(only("-c++").index_terms, [term_of_sign("c++")]);
    assert!(read("c++ or rust").literally().is_none());
    assert!(read("plain words").literally().is_none());
}

#[test]
fn pasted_addresses_are_looked_for_in_every_spelling() {
    for text in [
        "https://plain.example/a/b",
        "http://plain.example/a/b/?utm_source=x",
        "HTTPS://WWW.Plain.example/a/b#top",
        "www.plain.example/a/b/",
        "plain.example/a/b",
    ] {
        let group = read(text).text.remove(0);
        assert_eq!(group.literal, [index_terms::address("https://plain.example/a/b")], "{text}");
        assert!(group.terms.iter().any(|term| term.words == ["plain", "example", "a", "b"]), "{text}");
    }
    for text in ["and/or", "plain.example", "http", "http://", "www.", "a/b.c"] {
        assert!(read(text).text.iter().all(|group| group.literal.is_empty()), "{text}");
    }
    assert!(read("-https://plain.example/a").text.iter().all(|group| group.terms[0].negated));
}

#[test]
fn words_with_colons_are_words() {
    for text in ["foo:bar ", "std::fs ", "12:30 ", "in:box ", "it:x ", ":x ", "c:\\dir "] {
        assert!(read(text).filters.is_empty(), "{text}");
    }
}

#[test]
fn queries_are_bounded() {
    assert!(parse(&"ä".repeat(1_000)).is_ok());
    assert_eq!(parse(&"ä".repeat(1_001)).unwrap_err().position, 1_000);
    assert!(parse(&"a ".repeat(32)).is_ok());
    assert_eq!(parse(&"a ".repeat(33)).unwrap_err().position, 64);
    assert!(parse(&["a"; 32].join(" or ")).is_ok());
}

#[test]
fn needles_are_the_words_that_results_hold() {
    let highlights = read("Tide -x \"a b\" or c tag:y ta").highlights();
    let shown: Vec<_> =
        highlights.iter().map(|highlight| (highlight.word.as_str(), highlight.prefix)).collect();
    assert_eq!(shown, [("tide", false), ("a b", false), ("c", false), ("ta", true)]);
}

#[test]
fn the_word_being_typed_is_looked_for_in_others_last() {
    let mut query = read("moon or hack -tide");
    let typed = query.text.clone();
    assert_eq!((query.open_word(), query.in_parts()), (None, None), "the last word is left out");
    query = read("rust moon or hack");
    assert_eq!(query.open_word(), Some("hack"));
    query.widen(vec!["lifehacker".to_owned(), "shack".to_owned()]);
    let fts = |text: Option<Vec<Group>>| to_fts5(&text.expect("a text")).expect("words");
    let widest = fts(Some(query.text.clone()));
    assert_eq!(
        widest.matching.as_deref(),
        Some("\"rust\" AND (\"moon\" OR \"hack\"* OR \"lifehacker\" OR \"shack\")")
    );
    let parts = fts(query.in_parts());
    assert_eq!(parts.matching.as_deref(), Some("\"rust\" AND (\"lifehacker\" OR \"shack\")"));
    assert_eq!(parts.excluding.as_deref(), Some("\"moon\" OR \"hack\"*"));
    assert_eq!(query.as_typed(), read("rust moon or hack").text);
    let whole = fts(query.in_whole_words());
    assert_eq!(whole.matching.as_deref(), Some("\"rust\" AND (\"moon\" OR \"hack\")"));
    assert_eq!(typed, read("moon or hack -tide").as_typed());
    for other in ["hack ", "ha", "-hack", "life-hack", "東京", "tag:hack", "\"a hack", "c++"] {
        assert_eq!(read(other).open_word(), None, "{other}");
    }
}

fn typed() -> impl Strategy<Value = String> {
    let pieces = [
        "a", "tide", "or", "OR", "-", "\"", "“", " ", " ", ":", "tag:", "-tag:", "tags:", "site:", "by:",
        "is:pinned", "before:", "2026-01-01", "'", "&", "|", "!", "(", ")", "*", "<->", "\\", "東京", "é",
        "\0", "NEAR", "AND", "NOT", "c++", ".net", "🦀", "https://x.example/", "www.", "%", "_",
    ];
    prop_oneof![
        any::<String>(),
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..16)
            .prop_map(|pieces| pieces.concat()),
    ]
}

/// A compiled text with its quoted words removed: what is left can only be operators.
fn operators(text: &str, quote: char) -> String {
    text.split(quote).step_by(2).collect()
}

fn words(text: &str, quote: char) -> String {
    text.split(quote).skip(1).step_by(2).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_text_is_an_error_or_safe(text in typed()) {
        let query = match parse(&text) {
            Ok(query) => query,
            Err(error) => {
                prop_assert!(error.position <= text.chars().count() && error.message.ends_with('.'));
                return Ok(());
            }
        };
        let safe = |c: char| c.is_alphanumeric() || c == ' ' || unicode_normalization::char::is_combining_mark(c);
        let term = |c: char| c == '\u{E000}' || safe(c);
        for group in query.text.iter().map(to_postgres) {
            let text = group.words.unwrap_or_default();
            prop_assert!(words(&text, '\'').chars().all(safe));
            prop_assert!(operators(&text, '\'').chars().all(|c| " &|():*".contains(c)));
            let index_terms = group.index_terms.unwrap_or_default();
            prop_assert!(words(&index_terms, '\'').chars().all(term));
            prop_assert!(operators(&index_terms, '\'').chars().all(|c| " &|()".contains(c)));
            prop_assert!(group.phrases.iter().all(|like| like.trim_matches('%').chars().all(safe)));
        }
        let fts = to_fts5(&query.text).unwrap_or_default();
        for part in [fts.matching, fts.excluding].into_iter().flatten() {
            prop_assert!(words(&part, '"').chars().all(term));
            prop_assert!(operators(&part, '"').split([' ', '(', ')', '*']).all(|op| matches!(op, "" | "AND" | "OR")));
        }
        prop_assert!(query.text.iter().all(|group| !group.terms.is_empty()));
        prop_assert!(query.text.iter().flat_map(|g| &g.terms).all(|term| term.words.is_empty() != term.index_terms.is_empty()));
    }

    #[test]
    fn plain_words_are_all_looked_for(words in prop::collection::vec("[a-z]{2,6}", 1..8)) {
        prop_assume!(!words.iter().any(|word| word == "or"));
        let query = read(&format!("{} ", words.join(" ")));
        let found: Vec<_> = query.text.into_iter().flat_map(|group| group.terms).flat_map(|term| term.words).collect();
        prop_assert_eq!(found, words);
    }
}
