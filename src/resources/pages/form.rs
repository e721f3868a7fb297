//! The form of a resource: its fields as the browser sends them, as the page shows them, and as a change.

use serde::Deserialize;

use crate::error::FieldErrors;
use crate::resources::tag::split_tags;
use crate::resources::{Change, Draft, Kind, Resource, Visibility};

/// All fields are text, so that the page can show again what was typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct EntryForm {
    pub kind: String,
    pub title: String,
    pub url: String,
    pub body: String,
    pub tags: String,
    pub visibility: String,
    /// `yes` to read it later.
    pub unread: String,
    /// The version that was opened; empty for a new resource.
    pub version: String,
    /// The page to go back to; empty for the entry's own.
    pub back: String,
    /// `take-back` or `leave`, for an address that is in the trash.
    pub trash: String,
}

impl From<&Resource> for EntryForm {
    fn from(resource: &Resource) -> Self {
        Self {
            kind: resource.kind.as_str().to_owned(),
            title: resource.title.clone(),
            url: resource.url.clone().unwrap_or_default(),
            body: resource.body.clone(),
            tags: resource.tags.0.join(", "),
            visibility: resource.visibility.as_str().to_owned(),
            unread: if resource.unread { "yes".to_owned() } else { String::new() },
            version: resource.version.to_string(),
            ..Self::default()
        }
    }
}

impl EntryForm {
    pub fn read_version(&self) -> Option<i64> {
        self.version.parse().ok()
    }

    pub fn draft(&self) -> Result<Draft, FieldErrors> {
        let kind = if self.kind == "note" || (self.kind.is_empty() && self.url.trim().is_empty()) {
            Kind::Note
        } else {
            Kind::Link
        };
        Ok(self.change(kind)?.over(Draft { kind: Some(kind), ..Draft::default() }))
    }

    pub fn change(&self, kind: Kind) -> Result<Change, FieldErrors> {
        Ok(Change {
            title: Some(self.title.clone()),
            url: (kind == Kind::Link).then(|| self.url.clone()),
            body: Some(self.body.clone()),
            tags: Some(split_tags(&self.tags)),
            visibility: Some(self.visibility()?),
            unread: Some(!self.unread.is_empty()),
            pinned: None,
        })
    }

    /// Only the fields in the form of a row.
    pub fn details(&self) -> Result<Change, FieldErrors> {
        Ok(Change {
            title: Some(self.title.clone()),
            tags: Some(split_tags(&self.tags)),
            visibility: Some(self.visibility()?),
            ..Change::default()
        })
    }

    fn visibility(&self) -> Result<Visibility, FieldErrors> {
        let chosen = match self.visibility.as_str() {
            "" => Some(Visibility::default()),
            text => Visibility::parse(text),
        };
        chosen.ok_or_else(|| {
            let mut errors = FieldErrors::default();
            errors.add("visibility", "Choose a visibility: private, members or public.");
            errors
        })
    }

    /// For the page: with the defaults of empty choices.
    pub fn shown(self) -> Self {
        let or = |text: String, default: &str| if text.is_empty() { default.to_owned() } else { text };
        Self {
            version: self.read_version().map(|version| version.to_string()).unwrap_or_default(),
            kind: or(self.kind, "link"),
            visibility: or(self.visibility, "private"),
            ..self
        }
    }

    /// The fields in the order of the page.
    pub fn inputs(&self) -> Vec<Input> {
        let is_link = self.kind == "link";
        let address = Input::new("url", "Address", &self.url).attributes(ADDRESS);
        let title = Input::new("title", "Title", &self.title).help(if is_link { TITLE_HELP } else { "" });
        let body = Input::new("body", if is_link { "Notes" } else { "Text" }, &self.body).help(BODY_HELP);
        let tags = Input::new("tags", "Tags", &self.tags).help(TAGS_HELP).attributes(NO_PROSE);
        let visibility = Input::new("visibility", "Visibility", &self.visibility);
        let unread = Input::new("unread", "Read later", &self.unread);
        is_link.then_some(address).into_iter().chain([title, body, tags, visibility, unread]).collect()
    }
}

const ADDRESS: &str =
    r#"inputmode="url" placeholder="https://" required autocapitalize="none" spellcheck="false""#;
const NO_PROSE: &str = r#"autocapitalize="none" spellcheck="false" data-complete="list""#;
const TITLE_HELP: &str =
    "If empty, coffer uses the page’s own title if it can fetch it, otherwise the address.";
const BODY_HELP: &str =
    "Markdown: # heading, **bold**, *italic*, - list, > quotation, [text](https://…), ``` for code.";
const TAGS_HELP: &str =
    "Separate tags with commas. Use a slash for levels: work/rust is also found under work.";

/// One field of the form.
pub struct Input {
    pub name: &'static str,
    pub label: &'static str,
    pub value: String,
    /// A sentence below the field; empty for none.
    pub help: &'static str,
    /// Attributes of the `<input>` besides the common ones.
    pub attributes: &'static str,
}

impl Input {
    fn new(name: &'static str, label: &'static str, value: &str) -> Self {
        Self { name, label, value: value.to_owned(), help: "", attributes: "" }
    }

    fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    fn attributes(self, attributes: &'static str) -> Self {
        Self { attributes, ..self }
    }

    /// The id of its help, for `aria-describedby`; empty for none.
    pub fn help_id(&self) -> String {
        if self.help.is_empty() { String::new() } else { format!("{}-help", self.name) }
    }
}
