//! The audit log's actions on sessions.

use crate::audit::Action;

pub const LOG_OUT: Action = Action::new("logout", "Logged out");
pub const SESSION_END: Action = Action::new("session.end", "Ended a session").with_target("session");
pub const SESSIONS_END: Action = Action::new("sessions.end", "Ended all sessions");

pub const ALL: &[Action] = &[LOG_OUT, SESSION_END, SESSIONS_END];
