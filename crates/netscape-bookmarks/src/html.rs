//! What a reader of foreign HTML needs beside `html5ever`'s tokenizer: a bound on attributes, and which elements hold raw
//! text.

pub use crate::attributes::Count;

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TokenSinkResult};

/// Elements in which a browser sees no tags (WHATWG HTML §13.2.6). Inside of titles, names and descriptions they
/// are text and never come here.
pub fn content_of(tag: &Tag) -> TokenSinkResult<()> {
    match &*tag.name {
        "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
        "script" => TokenSinkResult::RawData(RawKind::ScriptData),
        "plaintext" => TokenSinkResult::Plaintext,
        _ => TokenSinkResult::Continue,
    }
}
