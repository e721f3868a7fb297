//! What is chosen for a file beside the file itself; the preview keeps it for the commit.

use std::collections::BTreeMap;

use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};

use super::formats::Role;
use crate::resources::Visibility;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// The most that others may see of what comes in; what the file marks as private stays private.
    pub visibility: Visibility,
    /// The name of the encoding; empty for what the file says.
    pub charset: String,
    /// Whether folders do not become tags.
    pub without_folders: bool,
    /// Which column of a table holds what, where a person said so. Columns count from 0.
    pub columns: BTreeMap<Role, usize>,
}

impl Choices {
    pub fn encoding(&self) -> Option<&'static Encoding> {
        Encoding::for_label(self.charset.as_bytes())
    }
}
