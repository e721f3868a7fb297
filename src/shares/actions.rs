//! What the audit log tells of share links.

use crate::audit::Action;

pub const SHARE_CREATE: Action = Action::new("share.create", "Created a share link");
pub const SHARE_REVOKE: Action = Action::new("share.revoke", "Revoked a share link");

pub const ALL: &[Action] = &[SHARE_CREATE, SHARE_REVOKE];
