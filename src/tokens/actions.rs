//! What the audit log tells of API tokens.

use crate::audit::Action;

pub const TOKEN_CREATE: Action = Action::new("token.create", "Created an API token").with_target("API token");
pub const TOKEN_REVOKE: Action = Action::new("token.revoke", "Revoked an API token").with_target("API token");

pub const ALL: &[Action] = &[TOKEN_CREATE, TOKEN_REVOKE];
