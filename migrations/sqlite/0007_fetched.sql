-- A version may come from the page that a link leads to. SQLite changes a CHECK by making the table anew.
CREATE TABLE revisions_anew (
    resource_id  BLOB NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
    version      INTEGER NOT NULL,
    title        TEXT NOT NULL,
    url          TEXT,
    body         TEXT NOT NULL,
    tags         TEXT NOT NULL,
    visibility   TEXT NOT NULL,
    via          TEXT NOT NULL CHECK (via IN ('web', 'api', 'import', 'restore', 'fetch')),
    saved_by     BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    saved_at     INTEGER NOT NULL,
    PRIMARY KEY (resource_id, version)
) STRICT;
INSERT INTO revisions_anew SELECT resource_id, version, title, url, body, tags, visibility, via, saved_by, saved_at FROM revisions;
DROP TABLE revisions;
ALTER TABLE revisions_anew RENAME TO revisions;

-- Links whose pages are to be fetched. replaces_version: the version whose title is replaced even if it was typed.
CREATE TABLE fetches (
    resource_id       BLOB PRIMARY KEY NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
    owner_id          BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    replaces_version  INTEGER,
    due_at            INTEGER NOT NULL,
    leased_until      INTEGER,
    attempts          INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX fetches_due ON fetches (due_at);
CREATE INDEX fetches_owner ON fetches (owner_id, due_at);
CREATE INDEX fetches_leased ON fetches (owner_id, leased_until) WHERE leased_until IS NOT NULL;

-- id: a keyed hash of the content.
CREATE TABLE icons (
    id          BLOB PRIMARY KEY NOT NULL,
    media_type  TEXT NOT NULL,
    content     BLOB NOT NULL CHECK (length(content) <= 65536)
) STRICT;

-- Not a column of resources: there it would stand behind the long texts of a row.
CREATE TABLE resource_icons (
    resource_id  BLOB PRIMARY KEY NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
    icon_id      BLOB NOT NULL REFERENCES icons
) STRICT;
CREATE INDEX resource_icons_icon ON resource_icons (icon_id);
