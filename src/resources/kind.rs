//! The kinds of resources, and the ways to save one.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::named::named;

named! {
    #[derive(Serialize, Deserialize, ToSchema)]
    #[serde(rename_all = "lowercase")]
    pub enum Kind {
        Link = "link",
        Note = "note",
    }
}

named! {
    /// How a version was saved.
    #[derive(Serialize, Deserialize, ToSchema, ValueEnum)]
    #[serde(rename_all = "lowercase")]
    pub enum Via {
        Web = "web",
        Api = "api",
        Import = "import",
        Restore = "restore",
        /// From the page that the link leads to.
        Fetch = "fetch",
    }
}
