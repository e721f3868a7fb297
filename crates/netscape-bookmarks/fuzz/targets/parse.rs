//! Any bytes are a list of bookmarks or an error, and what is read is in the file.

#![no_main]

use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use netscape_bookmarks::{Document, guess, parse};

fuzz_target!(|bytes: &[u8]| {
    let _ = guess(bytes);
    let Ok(file) = parse(bytes, None) else { return };
    let ends_of_lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64;
    for bookmark in &file.entries {
        let line = bookmark.line;
        assert!((1..=ends_of_lines + 1).contains(&line), "line {line} of {}", ends_of_lines + 1);
    }
    let mut first = None;
    Document::read(bytes, None).expect("a file that was read before").each(|bookmark| {
        first = Some(bookmark);
        ControlFlow::Break(())
    });
    assert_eq!(first.as_ref(), file.entries.first());
});
