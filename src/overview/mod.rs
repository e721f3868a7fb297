//! `/admin`: what needs the operator's attention, from all parts of coffer.

pub mod api;
pub mod pages;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::people::UserAdmin;
use crate::admin::Admin;
use crate::admin::limits::{Held, Limits};
use crate::admin::query::ReportQuery;
use crate::audit::reader::AuditReader;
use crate::db::{Db, Schema};
use crate::error::{Error, Result};
use crate::identity::{Role, Viewer};
use crate::mail::{Mail, MailHealth};
use crate::system::System;
use crate::timestamp::Timestamp;
use crate::web::deps::WebDeps;

const DAY: Duration = Duration::from_hours(24);
/// In days: an older key should be replaced.
const OLD_KEY: u32 = 365;
/// In days: an audit log that was not checked for longer needs it.
const UNCHECKED: u32 = 7;

pub struct Overview {
    pub system: System,
    pub db: Db,
    pub admin: Arc<Admin>,
    pub audit_reader: Arc<AuditReader>,
    pub people: Arc<UserAdmin>,
    pub limits: Arc<Limits>,
    pub mail: Mail,
}

#[derive(Clone, FromRef)]
pub struct OverviewState {
    pub overview: Arc<Overview>,
    pub deps: Arc<WebDeps>,
}

/// Something to do, and where.
#[derive(Debug, Serialize, ToSchema)]
pub struct Need {
    /// What is to do, as a sentence.
    pub text: String,
    /// Whether visitors notice it, or soon will.
    pub severe: bool,
    /// The page where you see more, or act.
    pub link: String,
    #[serde(skip)]
    pub label: &'static str,
}

impl Need {
    fn new(text: impl Into<String>, link: &str, label: &'static str) -> Self {
        Self { text: text.into(), severe: false, link: link.to_owned(), label }
    }

    const fn severe(mut self) -> Self {
        self.severe = true;
        self
    }
}

impl Overview {
    /// The severe first; for admins.
    pub async fn needs(&self, viewer: &Viewer) -> Result<Vec<Need>> {
        viewer.require_admin()?;
        let report = self.admin.report(viewer, &ReportQuery::default()).await?;
        // This page knows more of emails.
        let seen = report.attention.into_iter().filter(|attention| attention.section != "mails");
        let mut needs: Vec<Need> = seen
            .map(|attention| Need {
                text: attention.text,
                severe: attention.severe,
                link: format!("/admin/metrics#{}", attention.section),
                label: "View metrics",
            })
            .collect();
        needs.extend(self.visitors(viewer).await?);
        needs.extend(self.schema().await?);
        needs.extend(self.letters().await?);
        needs.extend(self.audit(viewer).await?);
        needs.extend(self.key().await?);
        needs.extend(self.second_factors().await?);
        needs.sort_by_key(|need| !need.severe);
        Ok(needs)
    }

    pub async fn held(&self, viewer: &Viewer) -> Result<Vec<Held>> {
        self.limits.held(viewer).await
    }

    async fn visitors(&self, viewer: &Viewer) -> Result<Option<Need>> {
        let unknown = self.limits.standing(viewer).await?.unknown_proxy.is_some();
        let text = "All visitors share one limit, because coffer is behind a proxy that COFFER_TRUSTED_PROXIES does not list.";
        Ok(unknown.then(|| Need::new(text, "/admin/limits", "View limits").severe()))
    }

    async fn schema(&self) -> Result<Option<Need>> {
        let schema = self.db.schema().await.map_err(|e| Error::Unavailable(e.to_string()))?;
        let is_other = matches!(schema, Schema::Newer(_) | Schema::Different(_));
        let text = "The database was migrated by a different version of coffer. Upgrade this node to that version, or it won’t start again.";
        Ok(is_other.then(|| Need::new(text, "/admin/metrics#processes", "View versions")))
    }

    async fn letters(&self) -> Result<Option<Need>> {
        let waiting = self.mail.waiting().await?;
        Ok(match self.mail.health() {
            MailHealth::Folder => Some(Need::new(
                "Emails are not sent, but written to the mail folder of the data directory. To send them, set COFFER_SMTP_URL.",
                "/admin/metrics#mails",
                "View email",
            )),
            MailHealth::Delayed => Some(
                Need::new(
                    format!("The mail server is not accepting email; {waiting} are queued. Run `coffer mail test` to see its response."),
                    "/admin/metrics#mails",
                    "View email",
                )
                .severe(),
            ),
            MailHealth::Good => None,
        })
    }

    async fn audit(&self, viewer: &Viewer) -> Result<Option<Need>> {
        let checked = self.audit_reader.latest_check(viewer).await?;
        let is_old = |at| self.days_since(at) >= UNCHECKED;
        Ok(match checked {
            Some(checked) if checked.verified.fault.is_some() => {
                let text = "The audit trail has been altered.";
                Some(Need::new(text, "/admin/audit?check=1", "View audit trail").severe())
            }
            Some(checked) if !is_old(checked.at) => None,
            _ => Some(Need::new(
                format!("This node has not checked the audit trail in the last {UNCHECKED} days."),
                "/admin/audit?check=1",
                "Check now",
            )),
        })
    }

    async fn key(&self) -> Result<Option<Need>> {
        let Some(since) = self.audit_reader.key_since().await? else { return Ok(None) };
        let days = self.days_since(since);
        let text = format!("The secret key is {days} days old. Replace it with `coffer key rotate`.");
        Ok((days >= OLD_KEY).then(|| Need::new(text, "/admin/audit?action=key.rotate", "View history")))
    }

    async fn second_factors(&self) -> Result<Option<Need>> {
        let people = self.people.all().await?;
        let admins = || people.iter().filter(|person| person.role == Role::Admin && !person.is_disabled());
        let (all, without) = (admins().count(), admins().filter(|person| !person.second_factor).count());
        let text = format!(
            "Two-step login is off for {without} of {all} admins. To require it, set COFFER_REQUIRE_2FA=admins."
        );
        Ok((without > 0).then(|| Need::new(text, "/admin/users", "View people")))
    }

    fn days_since(&self, at: Timestamp) -> u32 {
        let micros = self.system.now().micros().saturating_sub(at.micros());
        let day = i64::try_from(DAY.as_micros()).unwrap_or(i64::MAX);
        u32::try_from(micros / day).unwrap_or(0)
    }
}
