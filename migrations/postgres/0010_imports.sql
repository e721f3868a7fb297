-- What a previewed import will bring in; gone once it is committed.
CREATE TABLE import_files (
    import_id   UUID PRIMARY KEY REFERENCES imports ON DELETE CASCADE,
    visibility  TEXT NOT NULL CHECK (visibility IN ('private', 'members', 'public')),
    charset     TEXT NOT NULL,
    bytes       BYTEA NOT NULL
);
CREATE INDEX imports_previewed ON imports (created_at) WHERE state = 'previewed';
