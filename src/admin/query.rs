//! The query of the metrics page: the address holds the page's whole state.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::error::{FieldErrors, Result};
use crate::web::forms::encode;

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// The range: `15m`, `1h` (the default), `6h` or `24h`.
    #[param(pattern = "^(15m|1h|6h|24h)?$")]
    pub range: String,
    /// The name of one instance; default: all.
    #[param(max_length = 200)]
    pub instance: String,
    /// The order of the routes: `total` (the default), `rate`, `errors` or `p99`.
    #[param(pattern = "^(total|rate|errors|p99)?$")]
    pub sort: String,
    /// A route to show in detail, for example `GET /resources`.
    #[param(max_length = 200)]
    pub route: String,
    /// `on` keeps the page as it is.
    #[param(ignore)]
    pub pause: String,
}

pub const RANGES: [(&str, &str, i64); 4] = [
    ("15m", "15 minutes", 900),
    ("1h", "1 hour", 3_600),
    ("6h", "6 hours", 21_600),
    ("24h", "24 hours", 86_400),
];

const LONGEST_NAME: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Total,
    Rate,
    Errors,
    P99,
}

impl Sort {
    const ALL: [(&'static str, Self); 4] =
        [("total", Self::Total), ("rate", Self::Rate), ("errors", Self::Errors), ("p99", Self::P99)];
}

impl ReportQuery {
    /// # Errors
    /// 422 when a name is longer than any.
    pub fn check_names(&self) -> Result<()> {
        let mut errors = FieldErrors::default();
        for (field, name) in [("instance", &self.instance), ("route", &self.route)] {
            if name.chars().count() > LONGEST_NAME {
                errors.add(field, "Use at most 200 characters.");
            }
        }
        errors.or(())
    }

    /// Seconds.
    pub fn span(&self) -> Result<i64> {
        let range = self.range();
        let found = RANGES.iter().find(|(name, _, _)| *name == range);
        let mut errors = FieldErrors::default();
        errors.add("range", "Choose 15m, 1h, 6h or 24h.");
        found.map_or_else(|| errors.or(0), |(_, _, seconds)| Ok(*seconds))
    }

    pub fn sort(&self) -> Result<Sort> {
        let name = if self.sort.is_empty() { "total" } else { &self.sort };
        let found = Sort::ALL.iter().find(|(known, _)| *known == name);
        let mut errors = FieldErrors::default();
        errors.add("sort", "Choose total, rate, errors or p99.");
        found.map_or_else(|| errors.or(Sort::Total), |(_, sort)| Ok(*sort))
    }

    pub fn range(&self) -> &str {
        if self.range.is_empty() { "1h" } else { &self.range }
    }

    pub fn instance(&self) -> Option<&str> {
        Some(&*self.instance).filter(|name| !name.is_empty() && *name != "all")
    }

    pub fn is_paused(&self) -> bool {
        !self.pause.is_empty()
    }

    /// In seconds.
    pub fn poll(&self) -> u8 {
        if matches!(self.range(), "15m" | "1h") { 10 } else { 60 }
    }

    /// The query with one value changed, without values that are the default.
    pub fn with(&self, name: &str, value: &str) -> String {
        let mut parts = Vec::new();
        for (known, held) in [
            ("range", &self.range),
            ("instance", &self.instance),
            ("sort", &self.sort),
            ("route", &self.route),
            ("pause", &self.pause),
        ] {
            let value = if known == name { value } else { held };
            if !value.is_empty() {
                parts.push(format!("{known}={}", encode(value)));
            }
        }
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }

    pub fn query(&self) -> String {
        self.with("", "")
    }
}
