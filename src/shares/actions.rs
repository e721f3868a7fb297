//! What the audit log tells of share links and private feeds.

use crate::audit::Action;

pub const SHARE_CREATE: Action =
    Action::new("share.create", "Created a share link").with_target("share link");
pub const SHARE_REVOKE: Action =
    Action::new("share.revoke", "Revoked a share link").with_target("share link");

pub const FEED_CREATE: Action =
    Action::new("feed.create", "Created a private feed").with_target("private feed");
pub const FEED_RENEW: Action =
    Action::new("feed.renew", "Gave a private feed a new address").with_target("private feed");
pub const FEED_DELETE: Action =
    Action::new("feed.delete", "Deleted a private feed").with_target("private feed");

pub const ALL: &[Action] = &[SHARE_CREATE, SHARE_REVOKE, FEED_CREATE, FEED_RENEW, FEED_DELETE];
