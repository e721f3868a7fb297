-- A change of many entries: carried out in steps, and undone as one.
CREATE TABLE bulk_changes (
    id          UUID PRIMARY KEY,
    owner_id    UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    state       TEXT NOT NULL CHECK (state IN ('preparing', 'running', 'done', 'undoing', 'undone')),
    change      TEXT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    stepped_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX bulk_changes_owner ON bulk_changes (owner_id);
CREATE INDEX bulk_changes_created ON bulk_changes (created_at);
CREATE INDEX bulk_changes_open ON bulk_changes (stepped_at) WHERE state IN ('running', 'undoing');

-- version: the entry's after the change. before: what the undo puts back, as JSON.
CREATE TABLE bulk_items (
    bulk_id      UUID NOT NULL REFERENCES bulk_changes ON DELETE CASCADE,
    resource_id  UUID NOT NULL REFERENCES resources ON DELETE CASCADE,
    state        TEXT NOT NULL CHECK (state IN ('waiting', 'changed', 'same', 'refused', 'undone', 'kept')),
    version      BIGINT,
    before       TEXT,
    PRIMARY KEY (bulk_id, resource_id)
);
CREATE INDEX bulk_items_state ON bulk_items (bulk_id, state, resource_id);
CREATE INDEX bulk_items_resource ON bulk_items (resource_id);
