//! The kinds of resources, and the ways to save one.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Link,
    Note,
}

impl Kind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Note => "note",
        }
    }
}

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "link" => Ok(Self::Link),
            "note" => Ok(Self::Note),
            _ => Err(text),
        }
    }
}

/// How a version was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    Web,
    Api,
    Import,
    Restore,
}

impl Via {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Api => "api",
            Self::Import => "import",
            Self::Restore => "restore",
        }
    }
}

impl TryFrom<String> for Via {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        [Self::Web, Self::Api, Self::Import, Self::Restore]
            .into_iter()
            .find(|via| via.as_str() == text)
            .ok_or(text)
    }
}
