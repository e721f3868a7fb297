//! What frames every page: who is signed in, the form token, the one-time message.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRef, FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::deps::WebDeps;
use super::flash::Flash;
use super::html;
use super::preferences::Preferences;
use crate::cache::id_of;
use crate::error::{Error, Result};
use crate::identity::Identity;

/// Where you are after you log in.
pub const HOME: &str = "/resources";

#[derive(Clone, Debug, Default)]
pub struct PageContext {
    pub viewer: Option<CurrentUser>,
    pub csrf: String,
    pub toast: Option<Flash>,
    /// Which tab is lit: `library`, `tags`, `trash`, `import`, or none.
    pub section: &'static str,
    pub signup_open: bool,
    /// Path and query of this page, to return to after a login.
    pub asked: String,
    pub preferences: Preferences,
}

#[derive(Clone, Debug)]
pub struct CurrentUser {
    pub username: String,
    pub display_name: String,
    pub is_admin: bool,
}

impl PageContext {
    #[must_use]
    pub fn new(deps: &WebDeps, identity: &Identity, asked: String) -> Self {
        Self {
            viewer: identity.viewer.member().map(|member| CurrentUser {
                username: member.username.clone(),
                display_name: member.display_name.clone(),
                is_admin: identity.viewer.is_admin(),
            }),
            csrf: identity.csrf.clone(),
            signup_open: deps.signup_open,
            asked,
            ..Self::default()
        }
    }

    /// Frames of the same id show the same, but for a one-time message.
    #[must_use]
    pub fn id(&self) -> [u8; 16] {
        let admin = if self.is_admin() { "admin" } else { "" };
        let (username, name) = self
            .viewer
            .as_ref()
            .map_or(("", ""), |face| (face.username.as_str(), face.display_name.as_str()));
        id_of(&[&self.asked, &self.csrf, username, name, admin, &self.preferences.to_string()])
    }

    #[must_use]
    pub fn section(mut self, section: &'static str) -> Self {
        self.section = section;
        self
    }

    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.viewer.as_ref().is_some_and(|face| face.is_admin)
    }

    #[must_use]
    pub fn is_admin_section(&self) -> bool {
        ["overview", "metrics", "users", "invites", "audit", "limits"].contains(&self.section)
    }

    #[must_use]
    pub fn with(mut self, flash: Flash) -> Self {
        self.toast = Some(flash);
        self
    }
}

impl<S> FromRequestParts<S> for PageContext
where
    Arc<WebDeps>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let deps = Arc::<WebDeps>::from_ref(state);
        let identity = parts.extensions.get::<Identity>().cloned().unwrap_or_default();
        let asked = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
        let asked = asked.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let mut context = Self::new(&deps, &identity, asked);
        context.toast = Flash::from_cookie(&deps, &parts.headers);
        context.preferences = Preferences::from_headers(&deps.public_url, &parts.headers);
        Ok(context)
    }
}

/// Renders a page; the one-time message it may have shown is taken back from the browser.
pub fn page(template: &impl Template, had_toast: bool) -> Result<Response> {
    let mut response = Html(html::render(template)?).into_response();
    if had_toast {
        Flash::forget(&mut response);
    }
    Ok(response)
}

/// Redirects to another page of ours, which shows the flash.
#[must_use]
pub fn redirect(path: &str, flash: Option<Flash>) -> Response {
    let mut response = Redirect::to(path).into_response();
    if let Some(flash) = flash {
        flash.keep(&mut response);
    }
    response
}

/// A path of our own to go to after signing in, or the library: never another site's.
#[must_use]
pub fn local_path(next: &str) -> &str {
    let local = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(['\\', '\r', '\n', '\t'])
        && !next.chars().any(char::is_control);
    if local { next } else { HOME }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_stays_on_the_site() {
        for good in ["/resources?q=a", "/", "/tags"] {
            assert_eq!(local_path(good), good);
        }
        for bad in [
            "//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "", "javascript:alert(1)",
            "/\t/evil",
        ] {
            assert_eq!(local_path(bad), HOME, "{bad}");
        }
    }
}
