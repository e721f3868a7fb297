-- Requests that came with an Idempotency-Key. fingerprint: SHA-256 of method, path and body. reserved_id: the id of what the
-- request makes. answer: what it was told, as JSON; NULL while it is at work.
CREATE TABLE idempotency_keys (
    owner_id     UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    key          TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint  BYTEA NOT NULL CHECK (octet_length(fingerprint) = 32),
    reserved_id  UUID NOT NULL,
    answer       TEXT,
    created_at   TIMESTAMPTZ NOT NULL,
    begun_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (owner_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
