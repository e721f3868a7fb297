-- search: the query string of the list. place: the owner's own order.
CREATE TABLE saved_searches (
    id          BLOB PRIMARY KEY NOT NULL,
    owner_id    BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    name        TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    search      TEXT NOT NULL,
    place       INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    UNIQUE (owner_id, name)
) STRICT;
