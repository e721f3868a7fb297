-- Exactly one of resource_id, tag and query says what a link leads to.
CREATE TABLE share_links (
    id           BLOB PRIMARY KEY NOT NULL,
    owner_id     BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash   BLOB NOT NULL UNIQUE,
    resource_id  BLOB REFERENCES resources (id) ON DELETE CASCADE,
    tag          TEXT,
    query        TEXT,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    views        INTEGER NOT NULL,
    CHECK ((resource_id IS NOT NULL) + (tag IS NOT NULL) + (query IS NOT NULL) = 1)
) STRICT;
CREATE INDEX share_links_owner ON share_links (owner_id, id);
CREATE INDEX share_links_resource ON share_links (resource_id) WHERE resource_id IS NOT NULL;
CREATE INDEX share_links_expiry ON share_links (expires_at);
