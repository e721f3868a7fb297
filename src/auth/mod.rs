//! How users and programs sign in: by a session, by a device that stays signed in, by a token.

pub mod bearer;
pub mod guard;
mod invites;
pub mod known;
mod login;
pub mod pages;
mod password_reset;
mod register;
pub mod remember_me;
pub mod require_second_factor;
mod second_factor;
pub mod session;
mod setup;
mod strength;
mod sudo;
pub mod sudo_mode;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use tower_sessions::Session;

use crate::accounts::Accounts;
use crate::accounts::people::UserAdmin;
use crate::accounts::policy::{Require2fa, Signup};
use crate::audit::AuditLog;
use crate::auth::known::Known;
use crate::identity::{Identity, RequestMeta};
use crate::mail::Mail;
use crate::refresh::Refresh;
use crate::sessions::Sessions;
use crate::tokens::Tokens;
use crate::web::csrf::FormKey;
use crate::web::deps::WebDeps;

pub struct Auth {
    pub accounts: Arc<Accounts>,
    pub sessions: Arc<Sessions>,
    pub refresh: Arc<Refresh>,
    pub tokens: Arc<Tokens>,
    pub audit: AuditLog,
    pub form_key: FormKey,
    pub known: Known,
    pub deps: Arc<WebDeps>,
    /// How long a session lasts without a visit.
    pub session_idle: Duration,
    /// How long a session lasts at most.
    pub session_max: Duration,
    pub require_2fa: Require2fa,
    /// How long a device stays signed in, in days.
    pub stay_days: u32,
}

#[derive(Clone, FromRef)]
pub struct AuthState {
    pub auth: Arc<Auth>,
    pub deps: Arc<WebDeps>,
    pub people: Arc<UserAdmin>,
    pub mail: Mail,
    pub signup: Signup,
}

/// The session that a sign-in begins in, and how long it stays.
#[derive(Clone, Copy)]
pub struct SignIn<'a> {
    pub session: &'a Session,
    /// The user who was signed in here before.
    pub before: &'a Identity,
    pub origin: &'a RequestMeta,
    /// “Keep me logged in” was ticked.
    pub stays: bool,
    /// Else a change that is recorded by itself, such as a new account's.
    pub is_login: bool,
}
