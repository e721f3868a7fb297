//! `/admin/metrics`: how coffer runs, from this process' memory, as a page and as JSON.

pub mod api;
mod attention;
mod chart;
mod charts;
mod format;
pub mod limits;
pub mod pages;
pub mod query;
pub mod report;
mod sections;

use std::sync::Arc;

use axum::extract::FromRef;

use crate::error::Result;
use crate::health::Health;
use crate::history::History;
use crate::identity::Viewer;
use crate::limiter::Limiter;
use crate::system::System;
use crate::web::deps::WebDeps;

use self::query::ReportQuery;
use self::report::Report;

pub struct Admin {
    pub system: System,
    pub health: Arc<Health>,
    pub history: History,
    pub limiter: Limiter,
}

#[derive(Clone, FromRef)]
pub struct AdminState {
    pub admin: Arc<Admin>,
    pub deps: Arc<WebDeps>,
}

impl Admin {
    pub fn new(system: &System, health: &Arc<Health>, history: &History, limiter: &Limiter) -> Self {
        Self {
            system: system.clone(),
            health: health.clone(),
            history: history.clone(),
            limiter: limiter.clone(),
        }
    }

    /// Admins only: it does not exist for others.
    pub async fn report(&self, viewer: &Viewer, query: &ReportQuery) -> Result<Report> {
        viewer.require_admin()?;
        query.check_names()?;
        let (seconds, sort) = (query.span()?, query.sort()?);
        let now = self.system.now();
        let window = self.history.window(now, seconds, query.instance());
        let total = window.total();
        let recent = window.last(300);
        let mut report = Report {
            status: "well",
            reason: String::new(),
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: (now.micros() - self.history.own().started) / 1_000_000,
            instances: self.history.instances().iter().map(ToString::to_string).collect(),
            range: query.range().to_owned(),
            instance: query.instance().unwrap_or("all").to_owned(),
            until: window.until,
            from: window.from,
            step: window.step,
            attention: Vec::new(),
            tiles: sections::tiles(&window, &recent, &total),
            traffic: sections::traffic(&window),
            starts: window.starts.clone(),
            routes: sections::routes(&window, &total, sort),
            route: sections::route(&total, &query.route),
            cache: sections::caches(&window, &total),
            limits: sections::limits(&total),
            access: sections::access(&window, &total),
            mails: sections::mails(&window, &total),
            database: sections::database(&window, &total),
            dependencies: sections::dependencies(&window, &total),
            processes: sections::processes(&window, now),
            failures: sections::failures(&total),
            logs: sections::logs(&total),
        };
        Box::pin(attention::judge(&self.health, &mut report, &recent)).await;
        Ok(report)
    }
}
