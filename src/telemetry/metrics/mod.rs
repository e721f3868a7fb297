//! Every metric family, declared once: the names, labels and buckets that scrapes, dashboards and alerts rely on.
//!
//! One [`Metrics`] belongs to one `App`. Its handles are made once and kept by whoever counts; what has a closed set
//! of labels stands at 0 from the start, so that the first event is a rise and not the birth of a series. No label
//! ever holds what a visitor can choose: no path, query, user, session, key or address.

mod accounts;
mod cache;
mod database;
mod dependency;
mod family;
mod http;
mod limiter;
mod runtime;

use std::ops::Deref;
use std::sync::Arc;

use prometheus::proto::MetricFamily;
use prometheus::{Encoder as _, Registry, TextEncoder};

pub use self::accounts::{Accounts, MailOutcome, Method, SessionOperation, SessionOutcome};
pub use self::cache::{Cache, CacheMeter, Evicted, Invalidation, Outcome, Tier};
pub use self::database::{Database, PoolMeter, PoolState, QueryMeter};
pub use self::dependency::{Breaker, Dependencies, DependencyMeter};
pub use self::family::{Counters, Family, Label, number};
pub use self::http::{Http, RouteMeter, method_name};
pub use self::limiter::{Backend, Decision, Limiter, Mode, PolicyMeter};
pub use self::runtime::Runtime;

use super::recent::{Failing, Failure, Recent};
use super::timing::Sketches;
use crate::context::Context;

/// The media type of [`Metrics::text`].
pub const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything that one application counts; cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

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
    pub sketches: Sketches,
    registry: Registry,
}

impl Deref for Metrics {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Metrics {
    #[must_use]
    pub fn new(context: &Context) -> Self {
        let (registry, sketches) = (Registry::new(), Sketches::default());
        let family = Family { registry: &registry, sketches: &sketches };
        Self(Arc::new(Inner {
            http: Http::new(family),
            cache: Cache::new(family),
            limiter: Limiter::new(family),
            accounts: Accounts::new(family),
            database: Database::new(family, context),
            dependencies: Dependencies::new(family),
            runtime: Runtime::new(family),
            failures: Recent::default(),
            failing: Failing::default(),
            sketches,
            registry,
        }))
    }

    /// All series in Prometheus' text format.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        // Writing to memory fails only for a family without series or with a broken name; the tests look at them all.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        text
    }

    /// Every family as it stands.
    #[must_use]
    pub fn families(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }

    /// The sum of all series of the family whose labels hold these.
    #[must_use]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let families = self.registry.gather();
        let series =
            families.iter().filter(|family| family.name() == name).flat_map(MetricFamily::get_metric);
        let wanted = series.filter(|series| {
            labels.iter().all(|(name, value)| {
                series.get_label().iter().any(|label| label.name() == *name && label.value() == *value)
            })
        });
        wanted.map(family::number).sum()
    }
}
