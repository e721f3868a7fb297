//! Templates as HTML.

use askama::Template;

/// Renders a template. Characters that HTML forbids, which texts of terminals and other programs hold, become U+FFFD,
/// but in text areas, whose text comes back as it was typed.
pub fn render(template: &impl Template) -> askama::Result<String> {
    let html = template.render()?;
    Ok(if html.contains(is_forbidden) { cleaned(&html) } else { html })
}

fn cleaned(html: &str) -> String {
    let mut parts = html.split("<textarea");
    let first = parts.next().unwrap_or_default().replace(is_forbidden, "\u{FFFD}");
    parts.fold(first, |cleaned, part| {
        let (typed, rest) = part.split_at(part.find("</textarea").unwrap_or(part.len()));
        format!("{cleaned}<textarea{typed}{}", rest.replace(is_forbidden, "\u{FFFD}"))
    })
}

/// Control characters but tabs and line ends.
pub fn is_forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_areas_stay_as_they_were_typed() {
        let page = "a\u{7}<textarea name=x>b\u{7}</textarea>c\u{7f}<textarea>d\u{9b}\n</textarea>\te\u{85}";
        let clean =
            "a\u{FFFD}<textarea name=x>b\u{7}</textarea>c\u{FFFD}<textarea>d\u{9b}\n</textarea>\te\u{FFFD}";
        assert_eq!(cleaned(page), clean);
    }
}
