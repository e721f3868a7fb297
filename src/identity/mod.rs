//! Who sends a request: plain data that every slice may know.

mod member;
mod request_meta;
mod scope;
mod viewer;

pub use self::member::{Member, Role};
pub use self::request_meta::{Address, BrowserId, RequestMeta};
pub use self::scope::{Scope, TokenLimits};
pub use self::viewer::{Identity, IdentitySlot, Viewer, set_identity};
