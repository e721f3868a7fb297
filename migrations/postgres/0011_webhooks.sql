-- seq: deliveries were made of the owner's changes up to this number.
CREATE TABLE webhooks (
    id          UUID PRIMARY KEY,
    owner_id    UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    url         TEXT NOT NULL,
    sealed      BYTEA NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    seq         BIGINT NOT NULL
);
CREATE INDEX webhooks_owner ON webhooks (owner_id);

-- begun_at: when it was made, or replayed last.
CREATE TABLE webhook_deliveries (
    id          UUID PRIMARY KEY,
    webhook_id  UUID NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
    attempts    BIGINT NOT NULL,
    body        TEXT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    begun_at    TIMESTAMPTZ NOT NULL,
    next_at     TIMESTAMPTZ NOT NULL,
    status      BIGINT,
    error       TEXT
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_age ON webhook_deliveries (created_at);
