CREATE TABLE books (
    id          UUID PRIMARY KEY,
    owner_id    UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    title       TEXT NOT NULL,
    author      TEXT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX books_owner ON books (owner_id, title, id);
