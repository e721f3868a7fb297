//! The pages for signing in and for getting an account.

use axum::Router;
use axum::routing::{get, post};

use super::{AuthState, invites, login, password_reset, register, second_factor, setup, strength, sudo};

pub fn routes() -> Router<AuthState> {
    Router::new()
        .route("/login", get(login::form).post(login::log_in))
        .route("/login/second-factor", get(second_factor::form).post(second_factor::check))
        .route("/logout", post(login::log_out))
        .route("/sudo", get(sudo::form).post(sudo::confirm))
        .route("/register", get(register::form).post(register::register))
        .route("/setup", get(setup::without_link))
        .route("/setup/{token}", get(setup::form).post(setup::set_up))
        .route("/invite/{token}", get(invites::form).post(invites::accept))
        .route("/password/strength", post(strength::show))
        .route("/password/forgot", get(password_reset::ask_form).post(password_reset::ask))
        .route("/password/reset/{token}", get(password_reset::reset_form).post(password_reset::reset))
        .route("/admin/invites", get(invites::index).post(invites::create))
        .route("/admin/invites/withdraw", post(invites::withdraw))
}
