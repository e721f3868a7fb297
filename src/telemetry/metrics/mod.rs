//! Every metric family, declared once: the names, labels and buckets that scrapes, dashboards and alerts rely on.
//!
//! One [`Metrics`] belongs to one `App`. Make each handle once and keep it where it counts. Series with a closed set of
//! labels begin at 0, so that the first event shows as a rise. No label holds what a visitor can choose: no path,
//! query, user, session, key or address.

mod accounts;
mod cache;
mod database;
mod dependency;
mod family;
mod http;
mod limiter;
mod page;
mod recorder;
mod runtime;

use std::ops::Deref;

pub use self::accounts::{Accounts, MailOutcome, Method, SessionOperation, SessionOutcome};
pub use self::cache::{Cache, CacheMeter, Evicted, Invalidation, Outcome, Tier};
pub use self::database::{Database, ErrorType, PoolMeter, QueryMeter};
pub use self::dependency::{Breaker, Dependencies, DependencyMeter};
pub use self::family::real;
pub use self::http::{Http, method_name};
pub use self::limiter::{Backend, Decision, Limiter, Mode, PolicyMeter};
pub use self::page::Readings;
pub use self::recorder::{Durations, Recorder};
pub use self::runtime::Runtime;

use self::runtime::Fraction;
use super::recent::{Failing, Failure, Recent};
use crate::erased::Erased;
use crate::system::System;

/// Every family of durations: the exporter would show one that is missing here as a summary.
const DURATIONS: &[&Durations] = &[
    &http::REQUESTS,
    &cache::LOADS,
    &cache::LAG,
    &limiter::CHECKS,
    &database::QUERIES,
    &database::ACQUIRE,
    &dependency::ANSWERS,
    &runtime::LAG,
];

/// The media type of [`Metrics::text`].
pub const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Clone, Debug)]
pub struct Metrics(Erased<Inner>);

#[derive(Debug)]
pub struct Inner {
    pub http: Http,
    pub cache: Cache,
    pub limiter: Limiter,
    pub accounts: Accounts,
    pub database: Database,
    pub dependencies: Dependencies,
    pub runtime: Runtime,
    /// Requests that ended in a 5xx.
    pub failures: Recent<Failure>,
    pub failing: Failing,
    pub recorder: Recorder,
}

impl Deref for Metrics {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Metrics {
    pub fn new(context: &System) -> Self {
        let recorder = Recorder::new(DURATIONS);
        Self(Erased::new(Inner {
            http: Http::new(&recorder),
            cache: Cache::new(&recorder),
            limiter: Limiter::new(&recorder),
            accounts: Accounts::new(&recorder),
            database: Database::new(&recorder, context),
            dependencies: Dependencies::new(&recorder),
            runtime: Runtime::new(&recorder),
            failures: Recent::default(),
            failing: Failing::default(),
            recorder,
        }))
    }

    pub fn text(&self) -> String {
        let fractions = self.runtime.collect();
        let mut text = self.recorder.render();
        text.extend(fractions.iter().map(Fraction::text));
        text
    }

    pub fn readings(&self) -> Readings {
        let fractions = self.runtime.collect();
        let mut readings = self.recorder.readings();
        readings
            .counters
            .extend(fractions.into_iter().map(|fraction| (fraction.name.to_owned(), fraction.value)));
        readings
    }
}
