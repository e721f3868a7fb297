-- What changed last of each entry, in the order in which its owner's changes were saved: each takes the next of the owner's
-- numbers. A row outlives its entry, so that others learn that it is gone.
CREATE TABLE change_counters (
    owner_id   BLOB PRIMARY KEY NOT NULL REFERENCES users ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    -- The highest number among the rows that were forgotten.
    forgotten  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE changes (
    resource_id  BLOB PRIMARY KEY NOT NULL,
    owner_id     BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    seq          INTEGER NOT NULL,
    deleted_at   INTEGER
) STRICT;
CREATE UNIQUE INDEX changes_seq ON changes (owner_id, seq);
CREATE INDEX changes_deleted ON changes (deleted_at) WHERE deleted_at IS NOT NULL;

INSERT INTO changes (resource_id, owner_id, seq)
    SELECT id, owner_id, row_number() OVER (PARTITION BY owner_id ORDER BY created_at, id) FROM resources;
INSERT INTO change_counters (owner_id, seq) SELECT owner_id, MAX(seq) FROM changes GROUP BY owner_id;

-- Triggers, so that no statement can forget it.
CREATE TRIGGER changes_insert AFTER INSERT ON resources BEGIN
    INSERT INTO change_counters (owner_id, seq) VALUES (new.owner_id, 1)
        ON CONFLICT (owner_id) DO UPDATE SET seq = seq + 1;
    INSERT INTO changes (resource_id, owner_id, seq)
        SELECT new.id, new.owner_id, seq FROM change_counters WHERE owner_id = new.owner_id
        ON CONFLICT (resource_id) DO UPDATE SET seq = excluded.seq, owner_id = excluded.owner_id, deleted_at = NULL;
END;
CREATE TRIGGER changes_update AFTER UPDATE ON resources BEGIN
    UPDATE change_counters SET seq = seq + 1 WHERE owner_id = new.owner_id;
    UPDATE changes SET seq = (SELECT seq FROM change_counters WHERE owner_id = new.owner_id)
        WHERE resource_id = new.id;
END;
CREATE TRIGGER changes_delete AFTER DELETE ON resources WHEN EXISTS (SELECT 1 FROM users WHERE id = old.owner_id) BEGIN
    UPDATE change_counters SET seq = seq + 1 WHERE owner_id = old.owner_id;
    UPDATE changes SET seq = (SELECT seq FROM change_counters WHERE owner_id = old.owner_id),
            deleted_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER)
        WHERE resource_id = old.id;
END;
-- A tag that is tied, untied or spelled anew changes the entries that have it.
CREATE TRIGGER changes_tie AFTER INSERT ON resource_tags BEGIN
    UPDATE change_counters SET seq = seq + 1 WHERE owner_id = (SELECT owner_id FROM changes WHERE resource_id = new.resource_id);
    UPDATE changes SET seq = (SELECT c.seq FROM change_counters c WHERE c.owner_id = changes.owner_id)
        WHERE resource_id = new.resource_id;
END;
CREATE TRIGGER changes_untie AFTER DELETE ON resource_tags
WHEN EXISTS (SELECT 1 FROM resources WHERE id = old.resource_id) BEGIN
    UPDATE change_counters SET seq = seq + 1 WHERE owner_id = (SELECT owner_id FROM changes WHERE resource_id = old.resource_id);
    UPDATE changes SET seq = (SELECT c.seq FROM change_counters c WHERE c.owner_id = changes.owner_id)
        WHERE resource_id = old.resource_id;
END;
CREATE TRIGGER changes_respell AFTER UPDATE OF name ON tags WHEN new.name <> old.name BEGIN
    UPDATE resources SET version = version
        WHERE id IN (SELECT resource_id FROM resource_tags WHERE tag_id = new.id);
END;
