//! `/admin/limits`: the limits, the blocked clients, and a button that unblocks them.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;

use super::{Limits, LimitsOverview, LimitsState};
use crate::error::{Error, Result};
use crate::identity::{RequestMeta, Viewer};
use crate::limiter::blocked::Blocked;
use crate::limiter::counts::Count;
use crate::limiter::gcra::{Micros, seconds};
use crate::limiter::key::micros;
use crate::limiter::policy::{Policy, Rule};
use crate::limiter::verdict::{Tier, wait};
use crate::web::admin::AdminSudo;
use crate::web::flash::Flash;
use crate::web::forms::Form;
use crate::web::page_context::{PageContext, page, redirect};

pub const LIMIT_RELEASED: Flash =
    Flash::ok("limit-released", "Client unblocked. This takes effect on all nodes within a second.");
const LIMIT_OVER: Flash = Flash::ok("limit-over", "This client is no longer blocked.");

pub fn routes() -> Router<LimitsState> {
    Router::new().route("/admin/limits", get(index)).route("/admin/limits/release", post(release))
}

#[derive(Template)]
#[template(path = "admin/limits.html")]
struct LimitsPage {
    context: PageContext,
    standing: LimitsOverview,
    /// Redis keeps the limits of all nodes, when it answers.
    shared: bool,
    now: Micros,
}

impl LimitsPage {
    fn is_exact(&self) -> bool {
        self.standing.overview.tier == Tier::Exact
    }

    fn policies(&self) -> impl Iterator<Item = &(Policy, Rule, Count)> {
        self.standing.overview.policies.iter().filter(|(policy, ..)| *policy != Policy::LoginSeen)
    }

    /// Policies that only count, with what they would have refused.
    fn shadows(&self) -> impl Iterator<Item = (Policy, u64, usize)> {
        let shadows = self.policies().filter(|(_, rule, _)| rule.shadow && rule.quota.is_some());
        shadows.map(|(policy, _, count)| {
            let clients = self.standing.overview.blocked.iter().filter(|client| client.policy == *policy);
            (*policy, count.shadow, clients.count())
        })
    }

    fn left(&self, client: &Blocked) -> String {
        wait(seconds(client.until.saturating_sub(self.now)).max(1))
    }
}

async fn index(State(limits): State<Arc<Limits>>, viewer: Viewer, context: PageContext) -> Result<Response> {
    let standing = limits.standing(&viewer).await?;
    let toast = context.toast.is_some();
    let (shared, now) = (limits.is_shared, micros(limits.system.now()));
    page(&LimitsPage { context: context.section("limits"), standing, shared, now }, toast)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ReleaseForm {
    client: String,
}

async fn release(
    _: AdminSudo,
    State(limits): State<Arc<Limits>>,
    viewer: Viewer,
    origin: RequestMeta,
    Form(form): Form<ReleaseForm>,
) -> Result<Response> {
    let flash = match limits.release(&viewer, &form.client, &origin).await {
        Ok(()) => LIMIT_RELEASED,
        Err(Error::NotFound) => LIMIT_OVER,
        Err(error) => return Err(error),
    };
    Ok(redirect("/admin/limits", Some(flash)))
}
