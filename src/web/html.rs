//! Templates as HTML.

use askama::Template;

/// Renders a template. Characters that HTML forbids, which texts of terminals and other programs hold, become U+FFFD.
pub fn render(template: &impl Template) -> askama::Result<String> {
    let html = template.render()?;
    Ok(if html.contains(is_forbidden) { html.replace(is_forbidden, "\u{FFFD}") } else { html })
}

/// Control characters but tabs and line ends.
pub fn is_forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}
