//! A user's own pages: profile, address, password, second factor, data.

mod account;
mod data;
mod display;
mod flash;
mod qr;
mod second_factor;

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::FromRef;
use axum::routing::{get, post};

use crate::audit::reader::AuditReader;
use crate::auth::Auth;
use crate::error::Result;
use crate::identity::Viewer;
use crate::mail::Mail;
use crate::web::deps::WebDeps;

#[derive(Clone, FromRef)]
pub struct SettingsState {
    pub auth: Arc<Auth>,
    pub deps: Arc<WebDeps>,
    pub library: Arc<dyn OwnLibrary>,
    pub audit_reader: Arc<AuditReader>,
    pub mail: Mail,
}

/// What these pages need of the library.
#[async_trait]
pub trait OwnLibrary: Send + Sync {
    async fn has_profile(&self, viewer: &Viewer) -> Result<bool>;

    /// A ZIP of all that the viewer has saved, with these files beside it.
    fn archive(&self, viewer: &Viewer, files: Vec<ArchiveFile>) -> Result<Body>;

    /// In percent, for each of the viewer's downloads on this node.
    fn exports_under_way(&self, viewer: &Viewer) -> Result<Vec<u64>>;
}

pub struct ArchiveFile {
    pub name: &'static str,
    pub bytes: Vec<u8>,
}

pub fn routes() -> Router<SettingsState> {
    Router::new()
        .route("/verify-email/{token}", get(account::confirm_form).post(account::confirm))
        .route("/settings", get(account::index))
        .route("/settings/profile", get(account::profile).post(account::rename))
        .route("/settings/email", post(account::change_address))
        .route("/settings/email/resend", post(account::ask_again))
        .route("/settings/display", get(display::show).post(display::save))
        .route("/settings/display/density", post(display::density))
        .route("/settings/security", get(account::security))
        .route("/settings/security/totp", get(second_factor::form).post(second_factor::switch_on))
        .route("/settings/security/totp/off", post(second_factor::switch_off))
        .route("/settings/security/recovery-codes", post(second_factor::new_codes))
        .route("/settings/password", post(account::change_password))
        .route("/settings/data", get(data::show))
        .route("/settings/data/archive", get(data::archive))
        .route("/settings/data/exports", get(data::exports))
        .route("/settings/data/delete", post(data::delete))
}
