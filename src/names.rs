//! How names are compared, and which usernames are valid.

use unicode_normalization::UnicodeNormalization as _;

/// For comparing email addresses and usernames.
pub fn key(text: &str) -> String {
    text.trim().nfkc().collect::<String>().to_lowercase()
}

/// `None` if it can't be a username.
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
