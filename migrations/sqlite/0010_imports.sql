-- What a previewed import will bring in; gone once it is committed.
CREATE TABLE import_files (
    import_id   BLOB PRIMARY KEY NOT NULL REFERENCES imports ON DELETE CASCADE,
    visibility  TEXT NOT NULL CHECK (visibility IN ('private', 'members', 'public')),
    charset     TEXT NOT NULL,
    bytes       BLOB NOT NULL
) STRICT;
CREATE INDEX imports_previewed ON imports (created_at) WHERE state = 'previewed';
