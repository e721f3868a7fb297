//! Tests of `tag`.

use proptest::prelude::*;

use super::*;

fn names(text: &str) -> Vec<String> {
    parse_list(text, &[]).unwrap().into_iter().map(|tag| tag.name).collect()
}

#[test]
fn splits_cleans_and_keeps_the_order() {
    assert_eq!(names(" b , #a,,  tide   tables ,/work//rust/, "), ["b", "a", "tide tables", "work/rust"]);
    assert_eq!(names("# #x, / #y, C#"), ["x", "y", "C#"]);
    for comma in [',', '，', '、', '﹐', '､', '﹑', '︐', '︑', '،'] {
        assert_eq!(names(&format!("東京{comma}大阪")), ["東京", "大阪"], "{comma}");
    }
    assert_eq!(names(""), Vec::<String>::new());
    assert_eq!(names(",#,/ /,"), Vec::<String>::new());
    assert_eq!(names("a\n b\tc"), ["a b c"]);
}

#[test]
fn drops_repetitions_by_fold_and_keeps_the_first_spelling() {
    assert_eq!(names("Rust,rust,RUST,Ｒｕｓｔ"), ["Rust"]);
    assert_eq!(names("cafe\u{301},café"), ["café"]);
    assert_eq!(names("ΟΔΟΣ,οδος"), ["ΟΔΟΣ"]);
}

#[test]
fn folds_for_comparison() {
    assert_eq!(
        parse_one("Work / Rust").unwrap(),
        TagName { name: "Work/Rust".into(), folded: "work/rust".into() }
    );
    assert_eq!(fold("ﬁsh\u{A0}Ⅳ"), "fish iv");
}

#[test]
fn refuses_with_a_reason() {
    assert_eq!(parse_one(" # "), Err(TagError::Empty));
    assert_eq!(parse_one("a,b"), Err(TagError::Comma));
    assert_eq!(parse_one("a\0b"), Err(TagError::Control));
    assert!(parse_one(&"ä".repeat(200)).is_ok());
    let too_long = |limit| TagError::TooLong { start: "ä".repeat(20), limit };
    assert_eq!(parse_one(&"ä".repeat(201)), Err(too_long(200)));
    assert!(parse_one(&"\u{FDFA}".repeat(200)).is_err(), "it folds to more than an index holds");
    assert_eq!(parse_list(&"ä".repeat(61), &[]), Err(too_long(60)));
    assert!(parse_list(&"ä".repeat(60), &[]).is_ok());
    assert!(parse_list(&"Ä".repeat(61), &["ä".repeat(61)]).is_ok(), "what is kept already may stay");
    let many = |n: usize| (0..n).map(|i| format!("t{i}")).collect::<Vec<_>>().join(",");
    assert_eq!(parse_list(&many(50), &[]).unwrap().len(), 50);
    assert_eq!(parse_list(&format!("{},T1", many(50)), &[]).unwrap().len(), 50);
    assert_eq!(parse_list(&many(51), &[]), Err(TagError::TooMany));
}

#[test]
fn invisible_marks_go_and_the_name_stays() {
    for mark in [
        '\u{AD}', '\u{61C}', '\u{200B}', '\u{200E}', '\u{200F}', '\u{202E}', '\u{2060}', '\u{2066}',
        '\u{FEFF}', '\u{E0041}',
    ] {
        assert_eq!(names(&format!("{mark}a{mark}b{mark}, {mark}")), ["ab"], "{mark:?}");
    }
    assert_eq!(names("می\u{200C}خواهم"), ["می\u{200C}خواهم"]);
    assert_eq!(names("👩\u{200D}🚀"), ["👩\u{200D}🚀"]);
    assert_eq!(parse_one("\u{200D}/\u{200C}"), Err(TagError::Empty));
}

#[test]
fn ranges_hold_children_and_nothing_else() {
    let below = range_of("work");
    assert_eq!((below.start.as_str(), below.end.as_str()), ("work/", "work0"));
    let inside = |name: &str| below.contains(&name.to_owned());
    assert!(inside("work/rust") && inside("work/ä"));
    assert!(!inside("work") && !inside("works") && !inside("work-life") && !inside("work0"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn names_are_clean_and_stable(text in "\\PC{0,30}") {
        let Ok(tag) = parse_one(&text) else { return Ok(()) };
        prop_assert_eq!(parse_one(&tag.name).unwrap(), tag.clone());
        prop_assert_eq!(fold(&tag.folded), tag.folded.clone());
        for part in [&tag.name, &tag.folded] {
            prop_assert!(!part.is_empty() && !part.starts_with('/') && !part.ends_with('/'));
            prop_assert!(!part.contains("//") && !part.contains("  "));
        }
        prop_assert!(!tag.name.contains(','));
    }

    #[test]
    fn lists_read_back(text in "[a-cA-C/# ,äÄ]{0,60}") {
        let tags = parse_list(&text, &[]).unwrap();
        let joined = tags.iter().map(|tag| tag.name.clone()).collect::<Vec<_>>().join(", ");
        prop_assert_eq!(parse_list(&joined, &[]).unwrap(), tags);
    }

    #[test]
    fn any_text_is_an_answer(text in any::<String>()) {
        let _ = parse_list(&text, &[]);
    }
}
