//! Feeds as Atom documents (RFC 4287).

use atom_syndication as atom;
use atom_syndication::FixedDateTime;
use uuid::{Builder, Uuid};

use super::{Feed, Profile};
use crate::cache::id_of;
use crate::error::{Error, Result};
use crate::markdown;
use crate::resources::listing::Hit;
use crate::timestamp::Timestamp;
use crate::web::html;

pub const MEDIA_TYPE: &str = "application/atom+xml";
pub const UTF_8: &str = "application/atom+xml; charset=utf-8";

/// What a feed says of itself.
pub struct About {
    pub id: Uuid,
    pub title: String,
    /// The path of the page that it follows.
    pub page: String,
    /// Its own path.
    pub feed: String,
    pub author: Option<atom::Person>,
}

pub fn write(feed: &Feed, site: &str) -> String {
    let tag = &feed.tag;
    let (query, suffix) =
        if tag.is_empty() { Default::default() } else { (super::pages::tag_query(tag), format!(": {tag}")) };
    let id = |of: &str| {
        let id = if tag.is_empty() { id_of(&["feed", of]) } else { id_of(&["feed", of, tag]) };
        Builder::from_custom_bytes(id).into_uuid()
    };
    let about = match &feed.owner {
        Some(profile) => About {
            id: id(&profile.id.to_string()),
            title: format!("{}{suffix}", profile.display_name),
            page: format!("{}{query}", super::pages::href(profile)),
            feed: format!("{}{query}", super::pages::feed_href(profile)),
            author: Some(author(profile, site)),
        },
        None => About {
            id: id(site),
            title: format!("Public library of {}{suffix}", host(site)),
            page: format!("/resources{query}"),
            feed: format!("{}{query}", super::pages::FEED),
            author: None,
        },
    };
    document(about, &feed.hits, site)
}

/// The feed of these entries, written beside the other requests of this thread: fifty texts would block them.
pub async fn rendered(about: About, hits: Vec<Hit>, site: String) -> Result<String> {
    let written = tokio::task::spawn_blocking(move || document(about, &hits, &site)).await;
    written.map_err(|error| Error::Internal(format!("writing a feed: {error}")))
}

fn document(about: About, hits: &[Hit], site: &str) -> String {
    let updated = hits.iter().map(|hit| hit.resource.updated_at).max();
    let document = atom::Feed {
        id: urn(about.id),
        title: atom::Text::plain(about.title),
        // An empty feed needs a date too, and one that stays.
        updated: moment(updated.unwrap_or(Timestamp::from_micros(0))),
        authors: about.author.into_iter().collect(),
        generator: Some(atom::Generator { value: "coffer".to_owned(), ..atom::Generator::default() }),
        links: vec![
            link("self", format!("{site}{}", about.feed), Some(MEDIA_TYPE)),
            link("alternate", format!("{site}{}", about.page), Some("text/html")),
        ],
        entries: hits.iter().map(|hit| entry(hit, site)).collect(),
        ..atom::Feed::default()
    };
    valid_xml(&document.to_string())
}

fn entry(hit: &Hit, site: &str) -> atom::Entry {
    let resource = &hit.resource;
    let page = format!("{site}/resources/{}", resource.id);
    atom::Entry {
        id: urn(resource.id),
        title: atom::Text::plain(resource.title.clone()),
        updated: moment(resource.updated_at),
        published: Some(moment(resource.created_at)),
        authors: vec![atom::Person { name: resource.owner_name.clone(), ..atom::Person::default() }],
        categories: resource.tags.0.iter().map(|tag| category(tag)).collect(),
        links: links(resource.url.as_deref(), page.clone()),
        summary: (!hit.summary.is_empty()).then(|| atom::Text::plain(hit.summary.clone())),
        content: content(&resource.body, page),
        ..atom::Entry::default()
    }
}

/// Readers open the alternate: for a link, that is its address, and the page in coffer is related.
fn links(url: Option<&str>, page: String) -> Vec<atom::Link> {
    match url {
        Some(url) => vec![link("alternate", url.to_owned(), None), link("related", page, Some("text/html"))],
        None => vec![link("alternate", page, Some("text/html"))],
    }
}

/// Footnotes link to anchors on the page of the resource.
fn content(body: &str, page: String) -> Option<atom::Content> {
    (!body.is_empty()).then(|| atom::Content {
        base: Some(page),
        content_type: Some("html".to_owned()),
        value: Some(markdown::render(body)),
        ..atom::Content::default()
    })
}

fn author(profile: &Profile, site: &str) -> atom::Person {
    let uri = format!("{site}{}", super::pages::href(profile));
    atom::Person { name: profile.display_name.clone(), uri: Some(uri), ..atom::Person::default() }
}

fn category(tag: &str) -> atom::Category {
    atom::Category { term: tag.to_owned(), ..atom::Category::default() }
}

fn link(rel: &str, href: String, media_type: Option<&str>) -> atom::Link {
    atom::Link {
        href,
        rel: rel.to_owned(),
        mime_type: media_type.map(str::to_owned),
        ..atom::Link::default()
    }
}

fn urn(id: Uuid) -> String {
    id.urn().to_string()
}

fn moment(at: Timestamp) -> FixedDateTime {
    FixedDateTime::parse_from_rfc3339(&at.rfc3339()).unwrap_or_default()
}

fn host(site: &str) -> &str {
    site.split_once("://").map_or(site, |(_, host)| host)
}

/// Removes the characters that XML does not allow, not even escaped (XML 1.0 § 2.2), and those that it discourages.
fn valid_xml(document: &str) -> String {
    document.chars().filter(|c| !html::is_forbidden(*c) && !matches!(c, '\u{FFFE}' | '\u{FFFF}')).collect()
}
