//! The names that programs give to the fields of a saved page.

use super::table::Role;

pub const ADDRESS: &[&str] = &["url", "href", "uri", "link", "address", "givenurl", "resolvedurl"];
pub const TITLE: &[&str] = &["title", "name", "resolvedtitle"];
pub const TEXT: &[&str] =
    &["extended", "description", "excerpt", "summary", "selection", "note", "notes", "text"];
pub const TAGS: &[&str] = &["tags", "labels", "documenttags"];
pub const FOLDER: &[&str] = &["folder", "collection", "folders"];
pub const ADDED: &[&str] = &[
    "createdat", "created", "savedat", "saveddate", "timeadded", "dateadded", "time", "timestamp", "added",
    "date",
];
pub const MODIFIED: &[&str] = &["updatedat", "lastmodified", "modified", "updated"];
pub const FAVOURITE: &[&str] = &["pinned", "favorite", "favourite", "isstarred", "starred", "isfavorite"];
pub const ARCHIVED: &[&str] = &["archived", "isarchived"];
pub const UNREAD: &[&str] = &["toread", "unread", "isunread"];
pub const PRIVATE: &[&str] = &["private", "isprivate"];
pub const SHARED: &[&str] = &["shared", "isshared", "public", "ispublic"];
pub const HIGHLIGHTS: &[&str] = &["highlights", "annotations"];
/// Fields that say with a word where a page is kept.
pub const PLACE: &[&str] = &["status", "state", "location", "folder"];
/// Folders that stand for such a word.
pub const PLACES: &[&str] = &["unread", "archive", "archived", "starred", "inbox", "new", "later"];

/// Lower case, letters and digits alone.
pub fn plain_name(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What a column of this name holds.
pub fn role(name: &str) -> Option<Role> {
    let name = plain_name(name);
    let lists = [
        (ADDRESS, Role::Address),
        (TITLE, Role::Title),
        (TEXT, Role::Notes),
        (TAGS, Role::Tags),
        (FOLDER, Role::Folder),
        (ADDED, Role::Date),
    ];
    lists.into_iter().find(|(names, _)| names.contains(&name.as_str())).map(|(_, role)| role)
}

pub fn is_address(name: &str) -> bool {
    role(name) == Some(Role::Address)
}

/// The first name of what such a column holds.
pub const fn field_of(role: Role) -> &'static str {
    match role {
        Role::Address => ADDRESS[0],
        Role::Title => TITLE[0],
        Role::Notes => "note",
        Role::Tags => TAGS[0],
        Role::Folder => FOLDER[0],
        Role::Date => ADDED[0],
    }
}
