//! The audit log's actions on accounts.

use crate::audit::Action;

pub const SET_UP: Action = Action::new("setup", "Created the first account");
pub const REGISTER: Action = Action::new("register", "Created an account");
pub const LOG_IN: Action = Action::new("login", "Logged in").or_refused("Failed to log in");
pub const SUDO: Action =
    Action::new("sudo", "Confirmed the password").or_refused("Failed to confirm the password");
pub const PASSWORD_CHANGE: Action =
    Action::new("password.change", "Changed the password").or_refused("Failed to change the password");
pub const PASSWORD_RESET_ASK: Action = Action::new("password.reset.ask", "Requested a password reset");
pub const PASSWORD_RESET: Action = Action::new("password.reset", "Reset the password");
pub const EMAIL_VERIFY: Action = Action::new("email.verify", "Confirmed the email");
pub const EMAIL_CHANGE: Action = Action::new("email.change", "Changed the email");
pub const SECOND_FACTOR_ON: Action = Action::new("second_factor.on", "Turned on two-step login");
pub const SECOND_FACTOR_OFF: Action = Action::new("second_factor.off", "Turned off two-step login");
pub const RECOVERY_CODES_MAKE: Action = Action::new("recovery_codes.make", "Created new recovery codes");
pub const RECOVERY_CODE_USE: Action =
    Action::new("recovery_code.use", "Used a recovery code").or_refused("Entered a wrong recovery code");
pub const INVITE_CREATE: Action =
    Action::new("invite.create", "Created an invitation").with_target("invitation");
pub const INVITE_WITHDRAW: Action =
    Action::new("invite.withdraw", "Withdrew an invitation").with_target("invitation");
pub const INVITE_ACCEPT: Action = Action::new("invite.accept", "Accepted an invitation");
pub const USER_CREATE: Action = Action::new("user.create", "Created an account for someone");
pub const USER_DISABLE: Action = Action::new("user.disable", "Disabled an account");
pub const USER_ENABLE: Action = Action::new("user.enable", "Enabled an account");
pub const USER_ROLE: Action = Action::new("user.role", "Changed a role");
pub const USER_RESET_LINK: Action = Action::new("user.reset_link", "Created a password reset link");
pub const DATA_EXPORT: Action = Action::new("data.export", "Downloaded all data");
pub const ACCOUNT_DELETE: Action = Action::new("account.delete", "Deleted an account");

pub const ALL: &[Action] = &[
    SET_UP, REGISTER, LOG_IN, SUDO, PASSWORD_CHANGE, PASSWORD_RESET_ASK, PASSWORD_RESET, EMAIL_VERIFY,
    EMAIL_CHANGE, SECOND_FACTOR_ON, SECOND_FACTOR_OFF, RECOVERY_CODES_MAKE, RECOVERY_CODE_USE, INVITE_CREATE,
    INVITE_WITHDRAW, INVITE_ACCEPT, USER_CREATE, USER_DISABLE, USER_ENABLE, USER_ROLE, USER_RESET_LINK,
    DATA_EXPORT, ACCOUNT_DELETE,
];
