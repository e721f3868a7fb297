//! What is missing, for the sentence of a 404 of the API.

/// What there is at the addresses of the API that begin like this.
const NOUNS: [(&str, &str); 15] = [
    ("/admin/limits/accounts", "account"),
    ("/admin/limits/blocked", "client"),
    ("/admin/users", "account"),
    ("/imports", "import"),
    ("/me/deliveries", "delivery"),
    ("/me/feeds", "private feed"),
    ("/me/sessions", "device"),
    ("/me/shares", "share link"),
    ("/me/tokens", "token"),
    ("/me/webhooks", "webhook"),
    ("/resources", "entry"),
    ("/searches", "saved search"),
    ("/shares", "share link"),
    ("/trash", "entry"),
    ("/users", "profile"),
];

/// `path`: the address that was asked for.
pub fn noun(path: &str) -> &'static str {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    if path.contains("/revisions/") {
        return "version";
    }
    NOUNS.iter().find(|(begin, _)| path.starts_with(begin)).map_or("address", |(_, noun)| noun)
}
