//! What follows from the texts of a resource.

use super::rules;
use crate::markdown;
use crate::resources::fold;
use crate::resources::normal_url::NormalUrl;
use crate::resources::tag::TagName;

/// Characters of the folded title by which lists are sorted.
const TITLE_KEY: usize = 80;

/// What lists and the search index need, computed from the texts.
#[derive(Clone, Debug)]
pub struct Derived {
    pub title_key: String,
    pub summary: String,
    pub fold_title: String,
    pub fold_tags: String,
    pub fold_body: String,
    /// The signs in the texts, as [`fold::signs`] finds them.
    pub signs: Vec<String>,
}

impl Derived {
    pub fn new(title: &str, url: Option<&NormalUrl>, body: &str, tags: &[TagName]) -> Self {
        let plain = markdown::to_text(body);
        let fold_title = fold::fold(title);
        let address = url.map(|url| rules::searched(&url.url)).unwrap_or_default();
        let names = tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>().join(" ");
        Self {
            title_key: fold_title.chars().take(TITLE_KEY).collect(),
            summary: rules::shorten(&plain),
            fold_title,
            fold_tags: fold::fold(&names),
            fold_body: fold::fold(&format!("{plain} {address}")),
            signs: fold::signs(&[title, &names, &plain, &address].join("\n")),
        }
    }
}
