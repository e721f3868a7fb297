//! The one list of a resource's columns: what is read, what every save writes, what a revision keeps.

/// The tags of `resources r`, joined by commas, in their order; NULL for none.
macro_rules! tag_names {
    () => {
        "(SELECT string_agg(t.name, ',' ORDER BY t.folded) FROM resource_tags rt
                JOIN tags t ON t.id = rt.tag_id WHERE rt.resource_id = r.id)"
    };
}
pub(crate) use tag_names;

/// A [`Resource`](crate::resources::Resource) from `resources r` and its owner `users u`, without the body: not every
/// reader needs all of it.
macro_rules! resource_columns {
    () => {
        concat!(
            "r.id, r.owner_id, u.username AS owner_username, u.display_name AS owner_name, r.kind, r.title, r.url,
            r.visibility, r.pinned, r.unread, r.version, r.created_at, r.updated_at, r.trashed_at, ",
            $crate::resources::store::columns::tag_names!(),
            " AS tags,
            (SELECT ri.icon_id FROM resource_icons ri WHERE ri.resource_id = r.id) AS icon_id,
            EXISTS (SELECT 1 FROM fetches f WHERE f.resource_id = r.id) AS is_fetching,
            (SELECT lc.broken_since FROM link_checks lc WHERE lc.resource_id = r.id) AS broken_since"
        )
    };
}
pub(crate) use resource_columns;

/// Selects the whole resources that meet the condition.
macro_rules! resource_where {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            $crate::resources::store::columns::resource_columns!(),
            ", r.body FROM resources r JOIN users u ON u.id = r.owner_id WHERE ",
            $condition
        )
    };
}
pub(crate) use resource_where;

/// A [`Revision`](crate::resources::Revision) from `revisions v`, saved by `users u`, without the body.
macro_rules! revision_columns {
    () => {
        "v.version, v.title, v.url, v.tags, v.visibility, v.via, u.display_name AS saved_by, v.saved_at"
    };
}
pub(crate) use revision_columns;

/// Copies each of `resources r` that meets the condition to the revisions; `$saved` is `via, saved_by, saved_at`.
macro_rules! insert_revisions {
    ($saved:literal where $condition:literal) => {
        concat!(
            "INSERT INTO revisions (resource_id, version, title, url, body, visibility, tags, via, saved_by, saved_at)
            SELECT r.id, r.version, r.title, r.url, r.body, r.visibility, COALESCE(",
            $crate::resources::store::columns::tag_names!(),
            ", ''), ",
            $saved,
            " FROM resources r WHERE ",
            $condition
        )
    };
}
pub(crate) use insert_revisions;

/// What every save writes, in the order of [`bind_saved`].
pub const SAVED: [&str; 14] = [
    "title", "title_key", "url", "url_key", "site", "body", "summary", "visibility", "pinned", "unread",
    "fold_title", "fold_tags", "fold_body", "marks",
];

/// Binds the values of [`SAVED`] to a query; `$bind` is the name of its method.
macro_rules! bind_saved {
    ($query:expr, $bind:ident, $owner:expr, $checked:expr) => {{
        let checked: &$crate::resources::draft::Checked = $checked;
        let url = checked.url.as_ref();
        $query
            .$bind(&checked.title)
            .$bind(&checked.derived.title_key)
            .$bind(url.map(|url| &url.url))
            .$bind(url.map($crate::resources::draft::url_key))
            .$bind(url.map(|url| &url.site))
            .$bind(&checked.body)
            .$bind(&checked.derived.summary)
            .$bind(checked.visibility.as_str())
            .$bind(checked.pinned)
            .$bind(checked.unread)
            .$bind(&checked.derived.fold_title)
            .$bind(&checked.derived.fold_tags)
            .$bind(&checked.derived.fold_body)
            .$bind($crate::resources::index_terms::of_resource($owner, checked))
    }};
}
pub(crate) use bind_saved;
