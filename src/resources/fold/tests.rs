//! Tests of `fold`: words, highlighting, excerpts.

use proptest::prelude::*;

use super::*;

fn highlights(words: &[&str]) -> Vec<Highlight> {
    words
        .iter()
        .map(|word| Highlight { word: fold(word.trim_end_matches('*')), prefix: word.ends_with('*') })
        .collect()
}

#[test]
fn folds_case_marks_and_compatibility_forms() {
    for (text, folded) in [
        ("Tide  Tables", "tide tables"),
        ("Crème Brûlée", "creme brulee"),
        ("cre\u{300}me", "creme"),
        ("STRASSE Straße", "strasse strasse"),
        ("İstanbul ıstanbul", "istanbul istanbul"),
        ("Ærø Łódź Þór", "aero lodz thor"),
        ("ΟΔΌΣ οδός", "οδοσ οδοσ"),
        ("ﬁsh №5 ① ½", "fish no5 1 1 2"),
        ("ＦＵＬＬ width", "full width"),
        ("foo-bar_baz, C++ / don't!", "foo bar baz c don t"),
        ("co\u{AD}operate", "cooperate"),
        ("a\u{200B}b", "a b"),
        ("ёлка Й", "елка и"),
        ("שָׁלוֹם", "שלום"),
        ("مُحَمَّد", "محمد"),
        ("हिन्दी", "हिन्दी"),
        ("++ -- \u{301}", ""),
        ("", ""),
    ] {
        assert_eq!(fold(text), folded, "{text}");
    }
}

#[test]
fn unspaced_scripts_are_one_word_a_character() {
    for (text, folded) in [
        ("東京タワー", "東 京 タ ワ ー"),
        ("ﾊﾞｽ", "バ ス"),
        ("Rustで書く", "rust で 書 く"),
        ("한국어", "한 국 어"),
        ("\u{1112}\u{1161}\u{11AB}", "한"),
        ("x\u{1161}1", "x \u{1161} 1"),
        ("㍿ ㋀ ㈱", "株 式 会 社 1 月 株"),
        ("ภาษา", "ภ า ษ า"),
        ("กี่", "กี่"),
    ] {
        assert_eq!(fold(text), folded, "{text}");
    }
}

#[test]
fn long_words_are_cut_alike_everywhere() {
    assert_eq!(fold(&"ä".repeat(5_000)), "a".repeat(100));
    assert_eq!(
        highlight(&"a".repeat(300), &highlights(&[&"a".repeat(200)])),
        format!("<mark>{}</mark>", "a".repeat(300))
    );
}

#[test]
fn every_character_folds_once_and_for_all() {
    // Beyond these planes nothing is assigned but variation selectors.
    for c in ('\0'..='\u{3FFFF}').chain('\u{E0000}'..='\u{E01FF}') {
        let once = fold(&format!("x{c} {c}y"));
        assert_eq!(fold(&once), once, "U+{:04X}", u32::from(c));
    }
}

#[test]
fn highlights_whole_words_and_prefixes_in_the_original_spelling() {
    for (text, words, html) in [
        ("Tide tables & tides", &["tide"][..], "<mark>Tide</mark> tables &amp; tides"),
        ("Tide tables & tides", &["tide*"], "<mark>Tide</mark> tables &amp; <mark>tides</mark>"),
        ("Tide tables, table tides", &["tide tab*"], "<mark>Tide tables</mark>, table tides"),
        ("Crème bru\u{302}lée", &["creme", "brulee"], "<mark>Crème</mark> <mark>bru\u{302}lée</mark>"),
        ("die Straße.", &["strasse"], "die <mark>Straße</mark>."),
        ("<b>\"x\"</b>'", &["x"], "&lt;b&gt;&quot;<mark>x</mark>&quot;&lt;/b&gt;&#39;"),
        ("東京都と京都", &["京都"], "東<mark>京都</mark>と<mark>京都</mark>"),
        ("a b c", &["a b", "b c"], "<mark>a b c</mark>"),
        ("½ cup", &["2"], "<mark>½</mark> cup"),
        ("plain", &[], "plain"),
        ("plain", &["++"], "plain"),
        ("", &["a"], ""),
    ] {
        assert_eq!(highlight(text, &highlights(words)), html, "{text}");
    }
}

#[test]
fn excerpts_stand_around_the_first_match() {
    let text = "one two three four five six seven eight nine ten";
    assert_eq!(excerpt(text, &[], 13), "one two three…");
    assert_eq!(excerpt(text, &[], 12), "one two…");
    assert_eq!(excerpt(text, &highlights(&["six"]), 15), "…five <mark>six</mark> seven…");
    assert_eq!(excerpt(text, &highlights(&["ten"]), 15), "…nine <mark>ten</mark>");
    assert_eq!(excerpt(text, &highlights(&["ten"]), 180), text.replace("ten", "<mark>ten</mark>"));
    assert_eq!(excerpt(text, &highlights(&["eleven"]), 9), "one two…");
    assert_eq!(excerpt(" a\n\n b \t<c> ", &highlights(&["b"]), 50), "a <mark>b</mark> &lt;c&gt;");
    assert_eq!(excerpt("", &highlights(&["b"]), 50), "");
    assert_eq!(excerpt("東京都庁舎前", &highlights(&["庁"]), 3), "…都<mark>庁</mark>舎…");
    assert_eq!(excerpt("ae\u{301}\u{301}e", &[], 2), "a…");
}

#[test]
fn a_match_stands_near_the_beginning_of_its_excerpt() {
    for after in ["", " word word word", &" word".repeat(200)] {
        let text = format!("{}tide{after}", "word ".repeat(40));
        let html = excerpt(&text, &highlights(&["tide"]), 280);
        let before = html.split("<mark>").next().expect("a beginning").chars().count();
        assert!(html.contains("<mark>tide</mark>") && (50..=62).contains(&before), "{html}");
    }
}

#[test]
fn a_match_far_into_a_long_text_is_not_looked_for() {
    let text = format!("{}needle", "word ".repeat(400_000));
    let html = excerpt(&text, &highlights(&["needle"]), 200);
    assert!(html.starts_with("word") && html.ends_with('…'));
}

/// Undoes [`highlight`].
fn plain(html: &str) -> String {
    let unmarked = html.replace("<mark>", "").replace("</mark>", "");
    let quotes =
        unmarked.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    quotes.replace("&amp;", "&")
}

#[test]
fn marks_that_lost_their_base_are_put_in_order() {
    assert_eq!(fold("\u{1D15E}\u{16FF0}"), "\u{16FF0}\u{1D165}");
    assert_eq!(fold("\u{16FF0}\u{1D165}"), "\u{16FF0}\u{1D165}");
    // An Arabic vowel on a space, and a Lao one that is a word of its own.
    assert_eq!(fold("\u{FE72}\u{EB4}A"), "\u{EB4} a");
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,40}", "[a-cA-Cäße\u{301}東京 <&½ﬁ]{0,40}", any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn folding_is_stable_and_safe(text in text()) {
        let folded = fold(&text);
        prop_assert_eq!(fold(&folded), folded.clone());
        prop_assert!(!folded.starts_with(' ') && !folded.ends_with(' ') && !folded.contains("  "));
        let safe = |c: char| c.is_alphanumeric() || c == ' ' || unicode_normalization::char::is_combining_mark(c);
        prop_assert!(folded.chars().all(safe));
        prop_assert!(folded.split(' ').all(|word| word.chars().count() <= 100));
    }

    #[test]
    fn composed_and_decomposed_fold_alike(text in text()) {
        use unicode_normalization::UnicodeNormalization;
        let (nfc, nfd): (String, String) = (text.nfc().collect(), text.nfd().collect());
        prop_assert_eq!(fold(&nfc), fold(&nfd));
    }

    #[test]
    fn highlighting_only_adds_marks(text in text(), word in text(), prefix: bool) {
        let highlights = [Highlight { word: fold(&word), prefix }];
        let html = highlight(&text, &highlights);
        if !text.contains("mark>") {
            prop_assert_eq!(plain(&html), text);
        }
        prop_assert!(!html.replace("<mark>", "").replace("</mark>", "").contains(['<', '>', '"', '\'']));
    }

    #[test]
    fn every_word_of_a_text_is_found(text in text()) {
        for word in fold(&text).split(' ').filter(|word| !word.is_empty()) {
            let html = highlight(&text, &[Highlight { word: word.to_owned(), prefix: false }]);
            prop_assert!(html.contains("<mark>"), "{word}");
        }
    }

    #[test]
    fn excerpts_are_bounded(text in text(), word in text(), max in 0_usize..50) {
        let piece = excerpt(&text, &[Highlight { word: fold(&word), prefix: true }], max);
        if !text.contains("mark>") && !text.contains('&') {
            prop_assert!(plain(&piece).chars().count() <= max + 2, "{piece}");
        }
    }
}
