//! Entity tags as preconditions name them (RFC 9110 § 8.8.3, § 13.1.1, § 13.1.2).

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use utoipa::IntoParams;

use crate::error::{Code, Error, Result};

/// What `If-Match` or `If-None-Match` holds, over all its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityTags {
    /// `*`
    Any,
    List(Vec<EntityTag>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityTag {
    weak: bool,
    /// With its quotes.
    opaque: Vec<u8>,
}

impl EntityTags {
    /// The strong comparison: a weak tag is equal to none.
    pub fn hold_strongly(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::List(tags) => tags.iter().any(|known| !known.weak && known.opaque == tag.as_bytes()),
        }
    }

    /// The weak comparison: the tags are equal but for `W/`.
    pub fn hold_weakly(&self, tag: &str) -> bool {
        let tag = tag.strip_prefix("W/").unwrap_or(tag).as_bytes();
        match self {
            Self::Any => true,
            Self::List(tags) => tags.iter().any(|known| known.opaque == tag),
        }
    }
}

/// In the API's description: where `If-Match` is required.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the headers themselves are read")]
pub struct IfMatch {
    /// Entity tags of the versions you have read, or `*`; weak ones never match.
    #[param(
        rename = "If-Match",
        example = "\"3\"",
        pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#
    )]
    tags: String,
}

/// Where a request can do without.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the headers themselves are read")]
pub struct OptionalIfMatch {
    /// Entity tags of the versions you have read, or `*`; weak ones never match.
    #[param(
        rename = "If-Match",
        required = false,
        example = "\"3\"",
        pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#
    )]
    tags: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the headers themselves are read")]
pub struct IfNoneMatch {
    /// Entity tags of the versions you have, or `*`; what is neither is ignored.
    #[param(
        rename = "If-None-Match",
        example = "\"3\"",
        required = false,
        pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#
    )]
    tags: String,
}

/// Where a request makes what must not be there yet.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the headers themselves are read")]
pub struct IfNoneMatchAny {
    /// `*`: only if this id is not in use.
    #[param(rename = "If-None-Match", example = "*", pattern = r"^\*$")]
    tags: String,
}

/// Whether `If-None-Match` is `*`.
pub fn is_for_new(headers: &HeaderMap) -> bool {
    let field = field(headers, &header::IF_NONE_MATCH);
    field.and_then(|field| parse(&field)) == Some(EntityTags::Any)
}

/// Whether `If-None-Match` names this tag, so that 304 will do. A header that can't be read names nothing.
pub fn is_unchanged(headers: &HeaderMap, tag: &str) -> bool {
    let field = field(headers, &header::IF_NONE_MATCH);
    field.and_then(|field| parse(&field)).is_some_and(|known| known.hold_weakly(tag))
}

/// The answer with its tag; 304 alone when the client has it.
pub fn unless_known(headers: &HeaderMap, tag: String, answer: impl FnOnce() -> Response) -> Response {
    if is_unchanged(headers, &tag) {
        return not_modified(tag);
    }
    ([(header::ETAG, tag)], answer()).into_response()
}

pub fn not_modified(tag: String) -> Response {
    (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response()
}

/// `None` without `If-Match`. 400 `bad_if_match` when it names no tag or can't be read.
pub fn if_match(headers: &HeaderMap) -> Result<Option<EntityTags>> {
    field(headers, &header::IF_MATCH).map(|field| required(&field)).transpose()
}

/// The same for a tag in the body.
pub fn if_match_in(text: Option<&str>) -> Result<Option<EntityTags>> {
    text.map(|text| required(text.as_bytes())).transpose()
}

fn required(field: &[u8]) -> Result<EntityTags> {
    match parse(field) {
        Some(EntityTags::List(tags)) if tags.is_empty() => Err(unreadable()),
        Some(tags) => Ok(tags),
        None => Err(unreadable()),
    }
}

fn unreadable() -> Error {
    Error::Malformed {
        code: Code::BadIfMatch,
        message: "If-Match must be * or a list of ETags with their quotes, for example \"3\".".into(),
    }
}

/// All lines of a header as one (§ 5.3).
fn field(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    (!lines.is_empty()).then(|| lines.join(&b","[..]))
}

/// `*`, or a list whose elements may be empty (§ 5.6.1).
fn parse(field: &[u8]) -> Option<EntityTags> {
    if field.trim_ascii() == b"*" {
        return Some(EntityTags::Any);
    }
    let (mut rest, mut tags) = (field, Vec::new());
    loop {
        rest = rest.trim_ascii_start();
        match rest.split_first() {
            None => return Some(EntityTags::List(tags)),
            Some((b',', after)) => rest = after,
            Some(_) => {
                let (tag, after) = entity_tag(rest)?;
                tags.push(tag);
                rest = after.trim_ascii_start();
                if !matches!(rest.first(), None | Some(b',')) {
                    return None;
                }
            }
        }
    }
}

/// The tag at the beginning, and what follows it. A comma may be part of a tag.
fn entity_tag(text: &[u8]) -> Option<(EntityTag, &[u8])> {
    let strong = text.strip_prefix(b"W/");
    let (weak, text) = (strong.is_some(), strong.unwrap_or(text));
    let content = text.strip_prefix(b"\"")?;
    let length = content.iter().position(|byte| !matches!(byte, 0x21 | 0x23..=0x7e | 0x80..=0xff))?;
    let after = content[length..].strip_prefix(b"\"")?;
    Some((EntityTag { weak, opaque: text[..length + 2].to_vec() }, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), HeaderValue::from_static(line))).collect()
    }

    /// Whether `If-Match` lets a change of `"3"` through; `None` for a header that can't be read.
    fn matches(lines: &[&'static str]) -> Option<bool> {
        let tags = if_match(&headers(&header::IF_MATCH, lines)).ok()?;
        Some(tags.expect("a header").hold_strongly("\"3\""))
    }

    #[test]
    fn if_match_names_one_of_a_list_strongly() {
        for good in [
            "\"3\"", "*", " * ", "\"1\", \"3\"", "\"3\",\"1\"", ", ,\"3\",", "W/\"3\", \"3\"",
            "\"a,b\", \"3\"",
        ] {
            assert_eq!(matches(&[good]), Some(true), "{good}");
        }
        for other in [
            "\"2\"", "W/\"3\"", "\"\"", "\"1\", W/\"3\"", "\"1,\"", "\"*\"", "\"a,\u{7e}b\"", "\"03\"",
            "\"3-\"",
        ] {
            assert_eq!(matches(&[other]), Some(false), "{other}");
        }
        for bad in [
            "", " ", ",", "3", "\"", "\"3", "3\"", "w/\"3\"", "W/3", "W/ \"3\"", "\"3\" \"1\"",
            "\"3\"; \"1\"", "*, \"3\"", "\"3\", *", "**", "\"3 \"", "\"1\"3\"",
        ] {
            assert_eq!(matches(&[bad]), None, "{bad}");
        }
    }

    #[test]
    fn lines_are_one_list() {
        assert_eq!(matches(&["\"1\"", "\"3\""]), Some(true));
        assert_eq!(matches(&["\"1\", \"2\"", "W/\"3\""]), Some(false));
        assert_eq!(matches(&["\"1\"", "*"]), None);
        assert!(if_match(&HeaderMap::new()).is_ok_and(|tags| tags.is_none()));
        let octets =
            HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_bytes(b"\"\xff\", \"3\"").unwrap())]);
        assert!(if_match(&octets).is_ok_and(|tags| tags.is_some_and(|tags| tags.hold_strongly("\"3\""))));
    }

    #[test]
    fn if_none_match_names_one_of_a_list_weakly() {
        let unchanged =
            |lines: &[&'static str], tag: &str| is_unchanged(&headers(&header::IF_NONE_MATCH, lines), tag);
        for tag in ["\"3\"", "W/\"3\""] {
            for good in ["\"3\"", "W/\"3\"", "*", "\"1\", W/\"3\"", "\"a,b\",\"3\"", ",\"3\""] {
                assert!(unchanged(&[good], tag), "{good}");
            }
            assert!(unchanged(&["\"1\"", "W/\"2\", W/\"3\""], tag));
            for other in ["", "3", "\"2\"", "\"1,3\"", "\"3\" x", "*, \"3\"", "\"*\"", "W/3"] {
                assert!(!unchanged(&[other], tag), "{other}");
            }
        }
        assert!(!is_unchanged(&HeaderMap::new(), "\"3\""));
    }
}
