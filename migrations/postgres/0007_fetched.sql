-- A version may come from the page that a link leads to.
ALTER TABLE revisions DROP CONSTRAINT revisions_via_check;
ALTER TABLE revisions ADD CONSTRAINT revisions_via_check CHECK (via IN ('web', 'api', 'import', 'restore', 'fetch'));

-- Links whose pages are to be fetched. replaces_version: the version whose title is replaced even if it was typed.
CREATE TABLE fetches (
    resource_id       UUID PRIMARY KEY REFERENCES resources ON DELETE CASCADE,
    owner_id          UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    replaces_version  BIGINT,
    due_at            TIMESTAMPTZ NOT NULL,
    leased_until      TIMESTAMPTZ,
    attempts          BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX fetches_due ON fetches (due_at);
CREATE INDEX fetches_owner ON fetches (owner_id, due_at);
CREATE INDEX fetches_leased ON fetches (owner_id, leased_until) WHERE leased_until IS NOT NULL;

-- id: a keyed hash of the content.
CREATE TABLE icons (
    id          UUID PRIMARY KEY,
    media_type  TEXT NOT NULL,
    content     BYTEA NOT NULL CHECK (length(content) <= 65536)
);

-- Not a column of resources, whose rows are long.
CREATE TABLE resource_icons (
    resource_id  UUID PRIMARY KEY REFERENCES resources ON DELETE CASCADE,
    icon_id      UUID NOT NULL REFERENCES icons
);
CREATE INDEX resource_icons_icon ON resource_icons (icon_id);
