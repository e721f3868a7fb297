//! The bytes of a page as text (WHATWG HTML § 13.2.3.2).

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};
use netscape_bookmarks::declared;

/// The byte order mark decides, then the header, then the page's own `<meta>`, then what the bytes look like.
pub fn decode<'a>(bytes: &'a [u8], content_type: &str) -> Cow<'a, str> {
    let of_meta = || {
        // A page that is read as ASCII so far is not in UTF-16.
        declared(bytes).map(|found| if found.is_ascii_compatible() { found } else { UTF_8 })
    };
    let encoding = of_header(content_type).or_else(of_meta).unwrap_or_else(|| guess(bytes));
    encoding.decode(bytes).0
}

fn of_header(content_type: &str) -> Option<&'static Encoding> {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let charset = parameters.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?.1;
    Encoding::for_label(charset.trim().trim_matches('"').as_bytes())
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    // The page may be cut within a character.
    detector.feed(bytes, false);
    detector.guess(None, Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_header_meta_and_bytes_say_the_encoding_in_this_order() {
        let read = |bytes: &[u8], content_type: &str| decode(bytes, content_type).into_owned();
        assert_eq!(read(b"\xEF\xBB\xBFcaf\xC3\xA9", "text/html; charset=windows-1252"), "café");
        assert_eq!(read(b"\xFE\xFF\0a\0b", "text/html; charset=utf-8"), "ab");
        assert_eq!(
            read(b"<meta charset=utf-8>caf\xE9", "text/html; Charset=\"ISO-8859-1\""),
            "<meta charset=utf-8>café"
        );
        assert_eq!(
            read(b"<meta charset=\"koi8-r\">\xCD\xC9\xD2", "text/html"),
            "<meta charset=\"koi8-r\">мир"
        );
        assert_eq!(read(b"<meta charset=utf-16>caf\xC3\xA9", "text/html"), "<meta charset=utf-16>café");
        assert_eq!(read("Größe".as_bytes(), "text/html"), "Größe");
        assert_eq!(read("Größe".as_bytes(), "text/html; charset=no-such"), "Größe");
        assert_eq!(read("日本".as_bytes().get(..5).expect("5 bytes"), ""), "日\u{FFFD}");
    }
}
