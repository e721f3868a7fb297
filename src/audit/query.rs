//! Which part of the audit log is read.

use std::time::Duration;

use serde::Deserialize;
use time::Date;
use time::macros::format_description;
use utoipa::IntoParams;
use utoipa::openapi::Ref;
use uuid::Uuid;

use crate::audit::{Action, AuditLog, Outcome};
use crate::error::FieldErrors;
use crate::timestamp::Timestamp;
use crate::web::forms::encode;

pub const PAGE: i64 = 50;
pub const MAX_PAGE: i64 = 200;
/// In the API's description: the names of all actions.
pub const ACTION_SCHEMA: &str = "AuditAction";

/// Part of the trail, as the address bar or an API client asks for it; every part may be left empty.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// What was done, for example `login`.
    #[param(schema_with = action_schema)]
    pub action: String,
    /// Username, email or id of the actor or the affected account.
    #[param(max_length = 320)]
    pub person: String,
    /// `done` or `refused`.
    #[param(pattern = "^(done|refused)?$")]
    pub outcome: String,
    /// The first day, such as 2026-05-03 (UTC).
    #[param(pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
    pub from: String,
    /// The last day.
    #[param(pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
    pub to: String,
    /// The cursor from the previous page.
    #[param(pattern = "^[A-Za-z0-9_-]*$")]
    pub cursor: String,
    /// 1 to 200; default 50.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200)]
    pub limit: String,
}

/// The same for a download, which brings everything at once.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct DownloadQuery {
    /// What was done, for example `login`.
    #[param(schema_with = action_schema)]
    action: String,
    /// Username, email or id of the actor or the affected account.
    #[param(max_length = 320)]
    person: String,
    /// `done` or `refused`.
    #[param(pattern = "^(done|refused)?$")]
    outcome: String,
    /// The first day, such as 2026-05-03 (UTC).
    #[param(pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
    from: String,
    /// The last day.
    #[param(pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
    to: String,
}

impl From<DownloadQuery> for AuditQuery {
    fn from(DownloadQuery { action, person, outcome, from, to }: DownloadQuery) -> Self {
        Self { action, person, outcome, from, to, ..Self::default() }
    }
}

/// The application adds the schema, as it knows what each slice declares.
fn action_schema() -> Ref {
    Ref::from_schema_name(ACTION_SCHEMA)
}

/// A validated [`AuditQuery`].
#[derive(Clone, Debug)]
pub struct Filter {
    pub action: Option<Action>,
    /// As actor or as target.
    pub person: Option<Uuid>,
    pub outcome: Option<Outcome>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// The number of an event: only older ones pass.
    pub before: Option<i64>,
    pub limit: i64,
}

impl Filter {
    pub const fn all(limit: i64) -> Self {
        Self { action: None, person: None, outcome: None, from: None, until: None, before: None, limit }
    }
}

impl AuditQuery {
    /// All but the person and the cursor, which need the database.
    pub fn parse(&self, log: &AuditLog, errors: &mut FieldErrors) -> Filter {
        Filter {
            action: parse_field(
                &self.action,
                |name| log.action(name),
                "action",
                "There is no such event. Choose one from the list.",
                errors,
            ),
            outcome: parse_field(
                &self.outcome,
                Outcome::parse,
                "outcome",
                "The outcome must be done or refused.",
                errors,
            ),
            from: parse_field(
                &self.from,
                day,
                "from",
                "Enter the date as YYYY-MM-DD, for example 2026-05-03.",
                errors,
            ),
            until: parse_field(
                &self.to,
                day,
                "to",
                "Enter the date as YYYY-MM-DD, for example 2026-05-03.",
                errors,
            )
            .map(|day| day.plus(Duration::from_hours(24))),
            limit: parse_field(&self.limit, limit, "limit", "limit must be a number from 1 to 200.", errors)
                .unwrap_or(PAGE),
            person: None,
            before: None,
        }
    }

    pub fn to_query(&self, extra: &str) -> String {
        let Self { action, person, outcome, from, to, .. } = self;
        let fields =
            [("action", action), ("person", person), ("outcome", outcome), ("from", from), ("to", to)];
        let given = fields.iter().filter(|(_, value)| !value.is_empty());
        let mut parts: Vec<_> = given.map(|(name, value)| format!("{name}={}", encode(value))).collect();
        parts.extend(Some(extra.to_owned()).filter(|extra| !extra.is_empty()));
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }
}

fn parse_field<T>(
    text: &str,
    parse: impl Fn(&str) -> Option<T>,
    field: &'static str,
    problem: &'static str,
    errors: &mut FieldErrors,
) -> Option<T> {
    let value = parse(text.trim());
    if value.is_none() && !text.trim().is_empty() {
        errors.add(field, problem);
    }
    value
}

fn day(text: &str) -> Option<Timestamp> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    (1..=9998).contains(&date.year()).then(|| Timestamp::midnight(date))
}

fn limit(text: &str) -> Option<i64> {
    text.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit))
}
