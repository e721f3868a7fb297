//! Where a link in a text may lead. The sanitiser has the last word; what is refused here is shown as text.

use super::allowed;

/// Characters of a refused target that are shown.
const SHOWN: usize = 100;

/// Pages that a text may lead to without naming the host.
const OWN: [&str; 4] = ["/resources", "/tags", "/u/", "/feed.atom"];

pub(super) fn is_allowed(target: &str) -> bool {
    allowed::has_scheme(target) || target.starts_with('#') || is_own_path(target)
}

/// A path of the library that stays there: browsers read `\` as `/` and `%2e` as a dot.
pub(super) fn is_own_path(target: &str) -> bool {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let stays = !path.contains("..")
        && !path.to_ascii_lowercase().contains("%2e")
        && !target.contains(|c: char| c == '\\' || c.is_control() || c.is_whitespace());
    let begins = |own: &str| {
        path.strip_prefix(own)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || own.ends_with('/'))
    };
    stays && OWN.into_iter().any(begins)
}

/// Behind the text of a link that leads nowhere.
pub(super) fn refused(target: &str) -> String {
    let shown: String = target.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    match shown.as_str() {
        "" => String::new(),
        cut if cut.len() < target.len() => format!(" ({cut}…)"),
        whole => format!(" ({whole})"),
    }
}
