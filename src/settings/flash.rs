//! The flash messages of a user's own pages.

use crate::web::flash::{Flash, Offer};

pub const PROFILE_SAVED: Flash = Flash::ok("profile-saved", "Profile saved.");
pub const LETTER_SENT: Flash = Flash::ok("letter-sent", "Email sent. Open its link within an hour.");
pub const ADDRESS_TAKEN: Flash = Flash::error(
    "address-taken",
    "This email belongs to another account. Use a different one, or log in to that account.",
);

pub const fn password_changed(revokes_tokens: bool) -> Flash {
    if revokes_tokens {
        Flash::ok(
            "password-changed-tokens",
            "Your password has been changed. Your other devices are logged out, and your API tokens are revoked.",
        )
    } else {
        Flash::ok("password-changed", "Your password has been changed. Your other devices are logged out.")
    }
}

pub fn address_confirmed(elsewhere: bool) -> Flash {
    if elsewhere {
        let text = "Your email is confirmed. You are also logged in on other devices.";
        with_log_out(Flash::ok("address-confirmed-elsewhere", text))
    } else {
        Flash::ok("address-confirmed", "Your email is confirmed.")
    }
}

pub fn second_factor_off(elsewhere: bool) -> Flash {
    if elsewhere {
        let text = "Two-step login is off. You now log in with your password alone. You are also logged in on other devices.";
        with_log_out(Flash::ok("second-factor-off-elsewhere", text))
    } else {
        Flash::ok("second-factor-off", "Two-step login is off. You now log in with your password alone.")
    }
}

fn with_log_out(flash: Flash) -> Flash {
    flash.with_offer(Offer::change("/settings/sessions/others/end".to_owned(), "Log out other devices"))
}
