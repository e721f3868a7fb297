-- Exactly one of resource_id, tag and query says what a link leads to.
CREATE TABLE share_links (
    id           UUID PRIMARY KEY,
    owner_id     UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash   BYTEA NOT NULL UNIQUE,
    resource_id  UUID REFERENCES resources (id) ON DELETE CASCADE,
    tag          TEXT,
    query        TEXT,
    created_at   TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL,
    views        BIGINT NOT NULL,
    CHECK (num_nonnulls(resource_id, tag, query) = 1)
);
CREATE INDEX share_links_owner ON share_links (owner_id, id);
CREATE INDEX share_links_resource ON share_links (resource_id) WHERE resource_id IS NOT NULL;
CREATE INDEX share_links_expiry ON share_links (expires_at);
