//! The operations of a batch as a client sends them: each is read alone, so that one of a wrong shape holds back none of
//! the others.

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Operation;
use crate::error::{Error, Result};
use crate::resources::{Change, Draft, Precondition};
use crate::web::etag;
use crate::web::json::parse_part;

/// Makes one enum for the API's description and one that is read: a tagged enum would lose the path to what is wrong.
macro_rules! operations {
    ($($(#[$about:meta])* $verb:ident { $($fields:tt)* })*) => {
        /// One change; `do` says which.
        #[derive(Deserialize, ToSchema)]
        #[serde(tag = "do", rename_all = "lowercase")]
        #[expect(dead_code, reason = "only its schema is used")]
        pub enum BatchOperation {
            $($(#[$about])* $verb { $($fields)* },)*
        }

        /// The same, with what `do` says as the name of an object.
        #[derive(Deserialize)]
        #[serde(rename_all = "lowercase", deny_unknown_fields)]
        enum Named {
            $($verb { $($fields)* },)*
        }
    };
}

operations! {
    /// Save a link or a note.
    Create {
        /// A UUIDv7 of your own; if sent twice, only one resource is created.
        #[serde(default)]
        id: Option<Uuid>,
        resource: Draft,
    }
    /// Change some fields.
    Change {
        id: Uuid,
        /// The `ETag` that you have read, or `*`.
        if_match: String,
        change: Change,
    }
    /// Add and remove tags; other tags of the entry stay.
    Tag {
        id: Uuid,
        #[serde(default)]
        add: Vec<String>,
        #[serde(default)]
        remove: Vec<String>,
    }
    /// Move to trash.
    Trash {
        id: Uuid,
        /// The `ETag` that you have read; if omitted, any version matches.
        #[serde(default)]
        if_match: Option<String>,
    }
    /// Restore from the trash.
    Restore {
        id: Uuid,
        /// The `ETag` that you have read; if omitted, any version matches.
        #[serde(default)]
        if_match: Option<String>,
    }
    /// Permanently delete an entry that is in the trash.
    Delete { id: Uuid }
}

/// # Errors
/// 422 whose fields begin with the operation's place, such as `operations[3].resource.tags`; 400 `bad_if_match`.
pub fn parse(number: usize, operation: Value) -> Result<Operation> {
    let at = format!("operations[{number}]");
    let Value::Object(mut fields) = operation else {
        return Err(wrong(&at, "must be an object."));
    };
    let Some(Value::String(verb)) = fields.remove("do") else {
        return Err(wrong(&format!("{at}.do"), "must say what to do, such as `create`."));
    };
    let named = parse_part(&json!({ verb: fields }), &at).map_err(|error| about_verb(error, &at))?;
    from_named(named)
}

fn from_named(named: Named) -> Result<Operation> {
    Ok(match named {
        Named::Create { id, resource } => Operation::Create { id, draft: resource },
        Named::Change { id, if_match, change } => {
            Operation::Change { id, expected: precondition(Some(&if_match))?, change }
        }
        Named::Tag { id, add, remove } => Operation::Tag { id, add, remove },
        Named::Trash { id, if_match } => {
            Operation::Trash { id, expected: precondition(if_match.as_deref())? }
        }
        Named::Restore { id, if_match } => {
            Operation::Restore { id, expected: precondition(if_match.as_deref())? }
        }
        Named::Delete { id } => Operation::Delete { id },
    })
}

fn precondition(text: Option<&str>) -> Result<Precondition> {
    Ok(etag::if_match_in(text)?.map_or(Precondition::None, Precondition::Tags))
}

/// Only the name of the object can be wrong as a whole.
fn about_verb(error: Error, at: &str) -> Error {
    match &error {
        Error::Invalid(errors) => match errors.get(at) {
            Some(sentence) => wrong(&format!("{at}.do"), sentence.trim_start_matches(at).trim_start()),
            None => error,
        },
        _ => error,
    }
}

fn wrong(field: &str, rest: &str) -> Error {
    Error::field(field.to_owned(), format!("{field} {rest}"))
}
