//! Tests of `escape`: what was plain reads the same as Markdown.

use proptest::prelude::*;

use super::super::{render, to_text};
use super::*;

#[test]
fn signs_of_markdown_are_read_as_they_were_written() {
    for text in [
        "How to use Vec<String> and HashMap<K, V> in Rust",
        "run: make <package name> then <Enter>",
        "# 1 reason why",
        "snake_case_name and __init__ and 2*3*4 and *this*",
        "<title> and <script> elements <!-- <?php </b>",
        "price < 5 && size > 3",
        "> quoted",
        "a | b\n|---|---|\n| c | d",
        "heading\n===\nanother\n---",
        "[x](y) ![x](y) [x]: y [^1]",
        "`code` ``` ~~gone~~ ~a~",
        "C:\\*.txt \\ \\\\ a\\",
        "&amp; &#38; &copy; a&b; & c",
        "* * *\n- - -\n___",
        "1. # one\n2. > two",
        "AT&T https://a.example/__init__.py, (https://b.example/*/x_y_) and https://c.example/~me/.",
        "```\nnever closed *x*",
        "- [ ] open",
    ] {
        let shown = words(&to_text(&from_plain(text)));
        let plain: Vec<String> = text.lines().map(|line| without_markers(line).to_owned()).collect();
        assert_eq!(shown, words(&plain.join("\n")), "{}", from_plain(text));
    }
}

#[test]
fn plain_words_are_left_alone() {
    for text in [
        "Tide tables, high & low: 5 * 3 (approx.) — snake_case is fine!",
        "https://example.org/a_b/~me?x=1&y=2#z",
        "Shopping:\n- fruit\n  - apples\n  - pears\n- bread\n1. one",
        "How:\n\n```\nif x {\n    y(*z);\n}\n```\nThen:\n\n    <b>&amp;</b>\n    a_b *c*\n\nend",
    ] {
        assert_eq!(from_plain(text), text);
    }
}

#[test]
fn a_fence_inside_of_a_paragraph_that_is_none_is_escaped() {
    let html = render(&from_plain("a\n      ```\n      *b*\n      ```"));
    assert!(!html.contains("<em>") && html.contains("*b*"), "{html}");
}

fn words(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn without_markers(line: &str) -> &str {
    let content = line.trim_start();
    marker(content)
        .filter(|_| !is_rule(content))
        .map_or(content, |length| without_markers(&content[length..]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Lines that begin with a letter, so that no list or code comes about.
    #[test]
    fn any_signs_between_words_are_read_as_they_were_written(
        lines in prop::collection::vec("[a-z]([a-z *_`~<>\\[\\]()!#&;|\\\\/:.=+-]{0,25}[a-z;>)*_`~\\]\\\\])?", 1..5),
    ) {
        let text = lines.join("\n");
        prop_assert_eq!(words(&to_text(&from_plain(&text))), words(&text), "{}", from_plain(&text));
    }

    #[test]
    fn any_text_is_an_answer(text in any::<String>()) {
        let _ = from_plain(&text);
    }
}
