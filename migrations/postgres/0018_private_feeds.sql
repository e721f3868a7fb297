-- A feed of the library, of a tag or of a saved search, at a secret address.
CREATE TABLE private_feeds (
    id           UUID PRIMARY KEY,
    owner_id     UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash   BYTEA NOT NULL UNIQUE,
    tag          TEXT,
    search_id    UUID REFERENCES saved_searches (id) ON DELETE CASCADE,
    created_at   TIMESTAMPTZ NOT NULL,
    CHECK (tag IS NULL OR search_id IS NULL)
);
CREATE INDEX private_feeds_owner ON private_feeds (owner_id, id);
CREATE INDEX private_feeds_search ON private_feeds (search_id) WHERE search_id IS NOT NULL;
