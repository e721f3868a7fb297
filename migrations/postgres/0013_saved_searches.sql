-- search: the query string of the list. place: the owner's own order.
CREATE TABLE saved_searches (
    id          UUID PRIMARY KEY,
    owner_id    UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    name        TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    search      TEXT NOT NULL,
    place       BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    UNIQUE (owner_id, name)
);
