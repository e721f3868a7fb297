//! The rules for the fields of an account, without the password.

use crate::mail::can_send_to;

pub fn email_problem(email: &str) -> Option<&'static str> {
    let parts = email.rsplit_once('@');
    let well_formed = parts.is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !local.contains('@')
            && email.parse::<lettre::Address>().is_ok()
    });
    if email.is_empty() {
        Some("Enter your email.")
    } else if !well_formed || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        Some("Enter an email in the form name@example.org.")
    } else if email.chars().count() > 254 {
        Some("This email is too long. Use at most 254 characters.")
    } else if !can_send_to(email) {
        Some(
            "coffer can’t send email to this address. Use one like name@example.org, with only plain letters, digits and symbols before the @ and a domain name after it.",
        )
    } else {
        None
    }
}

pub(super) fn display_name_problem(name: &str) -> Option<&'static str> {
    if name.chars().count() > 80 {
        Some("Use at most 80 characters for your display name.")
    } else if name.chars().any(char::is_control) {
        Some("This name contains an invisible control character. Type it again.")
    } else {
        None
    }
}
