-- revoked_at may lie ahead: a rotated token stays good until then.
ALTER TABLE api_tokens ADD COLUMN revoked_at INTEGER;
CREATE INDEX api_tokens_revoked ON api_tokens (revoked_at) WHERE revoked_at IS NOT NULL;
-- As the program that signed in has named its device.
ALTER TABLE refresh_families ADD COLUMN name TEXT NOT NULL DEFAULT '';
