//! How names are compared, and what can be a username.

use unicode_normalization::UnicodeNormalization as _;

/// The form by which e-mail addresses and usernames are compared.
pub fn key(text: &str) -> String {
    text.trim().nfkc().collect::<String>().to_lowercase()
}

/// The form in which a username is kept, of what can be one.
pub fn username_key(text: &str) -> Option<String> {
    Some(key(text)).filter(|key| username_problem(key).is_none())
}

pub fn username_problem(username: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !(2..=32).contains(&username.chars().count()) {
        Some("Choose a username of 2 to 32 characters.")
    } else if !username.chars().all(allowed) {
        Some("Use only lowercase letters a to z, digits and hyphens.")
    } else if username.starts_with('-') || username.ends_with('-') {
        Some("A username must start and end with a letter or digit.")
    } else {
        None
    }
}
