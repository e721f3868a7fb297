CREATE TABLE books (
    id          BLOB PRIMARY KEY NOT NULL,
    owner_id    BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    title       TEXT NOT NULL,
    author      TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX books_owner ON books (owner_id, title, id);
