//! A body that is no JSON: where it goes wrong, without the parser's words.

use serde_json::error::Category;

use crate::error::{Code, Error};

/// How `serde_json` begins its sentence on a body that is nested too deeply; it has no kind of its own.
const TOO_DEEP: &str = "recursion limit exceeded";

/// 400 `malformed_json`.
pub fn malformed(bytes: &[u8], error: &serde_json::Error) -> Error {
    let at = format!("line {}, column {}", error.line(), error.column().max(1));
    let message = match error.classify() {
        _ if bytes.trim_ascii().is_empty() => "The body is empty; send a JSON object.".to_owned(),
        Category::Eof => format!("The body ends too early, at {at}."),
        _ if error.to_string().starts_with(TOO_DEEP) => format!("The body is nested too deeply at {at}."),
        _ => format!("The body is not valid JSON: look at {at}."),
    };
    Error::Malformed { code: Code::MalformedJson, message }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn no_parser_is_heard() {
        let deep = "[".repeat(200);
        for (body, said) in [
            ("", "The body is empty; send a JSON object."),
            (" \n", "The body is empty; send a JSON object."),
            ("{", "The body ends too early, at line 1, column 1."),
            ("{\n\"title\": \"T", "The body ends too early, at line 2, column 11."),
            ("nope", "The body is not valid JSON: look at line 1, column 2."),
            ("{1: 2}", "The body is not valid JSON: look at line 1, column 2."),
            ("{} {}", "The body is not valid JSON: look at line 1, column 4."),
            (r#"{"title": "\ud800"}"#, "The body is not valid JSON: look at line 1, column 18."),
            (&deep, "The body is nested too deeply at line 1, column 128."),
        ] {
            let error = serde_json::from_str::<Value>(body).expect_err(body);
            assert_eq!(malformed(body.as_bytes(), &error).message(), said, "{body}");
        }
    }
}
