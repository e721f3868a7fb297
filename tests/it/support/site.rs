//! Every route of the program: addresses from its router, methods from what it says when asked for another one.

use std::collections::BTreeSet;
use std::fmt;

use reqwest::Method;

use super::actor::Ask;
use super::app::App;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub method: Method,
    /// As the router writes it: `/resources/{id}`.
    pub path: String,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Route {
    pub fn is_api(&self) -> bool {
        self.path.starts_with("/api/")
    }

    pub fn is_for_admins(&self) -> bool {
        self.path.contains("/admin")
    }

    pub fn has(&self, name: &str) -> bool {
        self.path.contains(&format!("{{{name}}}"))
    }

    /// The braces' names with the part of the address before each.
    pub fn parameters(&self) -> Vec<(&str, &str)> {
        let parts: Vec<_> = self.path.split('/').collect();
        let named = parts.windows(2).filter_map(|pair| {
            let name = pair[1].strip_prefix('{')?.strip_suffix('}')?;
            Some((pair[0], name))
        });
        named.collect()
    }
}

/// All routes; those of the reference page of the API, of the assets, of the reports that browsers send by themselves
/// and of what is found nowhere are left out.
pub async fn routes(app: &App) -> Vec<Route> {
    let visitor = app.visitor();
    let mut routes = Vec::new();
    for path in paths(app) {
        let beyond = path.contains("{*")
            || path.starts_with("/api/docs")
            || ["/api", "/api/", "/csp-report"].contains(&path.as_str());
        if beyond {
            continue;
        }
        let told = Ask::new(&visitor, Method::OPTIONS, &path).await.is(405).header("allow");
        let methods = told.split(',').map(str::trim).filter(|method| *method != "HEAD");
        routes.extend(
            methods.map(|method| Route { method: method.parse().expect("a method"), path: path.clone() }),
        );
    }
    routes
}

pub async fn unsafe_routes(app: &App) -> Vec<Route> {
    let mut routes = routes(app).await;
    routes.retain(|route| route.method != Method::GET);
    routes
}

/// axum tells its addresses in the debug format alone: `RouteId(1): "/resources/{id}"`.
fn paths(app: &App) -> BTreeSet<String> {
    let router = format!("{:?}", coffer::app::router(&app.coffer));
    let named = router.split("RouteId(").skip(1).filter_map(|entry| {
        let (_, rest) = entry.split_once("): \"")?;
        let (path, _) = rest.split_once('"')?;
        path.starts_with('/').then(|| path.to_owned())
    });
    let paths: BTreeSet<_> = named.filter(|path| !path.contains("__private")).collect();
    assert!(
        paths.len() > 40 && paths.contains("/settings/tokens/{id}/revoke"),
        "the router's own words: {router}"
    );
    paths
}
