//! What the audit log tells of webhooks.

use crate::audit::Action;

pub const WEBHOOK_CREATE: Action = Action::new("webhook.create", "Created a webhook").with_target("webhook");
pub const WEBHOOK_DELETE: Action = Action::new("webhook.delete", "Deleted a webhook").with_target("webhook");

pub const ALL: &[Action] = &[WEBHOOK_CREATE, WEBHOOK_DELETE];
