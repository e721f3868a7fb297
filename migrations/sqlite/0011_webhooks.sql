-- seq: deliveries were made of the owner's changes up to this number.
CREATE TABLE webhooks (
    id          BLOB PRIMARY KEY NOT NULL,
    owner_id    BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    url         TEXT NOT NULL,
    sealed      BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    seq         INTEGER NOT NULL
) STRICT;
CREATE INDEX webhooks_owner ON webhooks (owner_id);

-- begun_at: when it was made, or replayed last.
CREATE TABLE webhook_deliveries (
    id          BLOB PRIMARY KEY NOT NULL,
    webhook_id  BLOB NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
    attempts    INTEGER NOT NULL,
    body        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    begun_at    INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    status      INTEGER,
    error       TEXT
) STRICT;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_age ON webhook_deliveries (created_at);
