//! The audit log's actions on blocked clients and accounts.

use crate::audit::Action;

pub const LIMIT_RELEASE: Action = Action::new("limit.release", "Unblocked a client").with_target("client");
pub const USER_UNLOCK: Action = Action::new("user.unlock", "Unblocked an account");

pub const ALL: &[Action] = &[LIMIT_RELEASE, USER_UNLOCK];
