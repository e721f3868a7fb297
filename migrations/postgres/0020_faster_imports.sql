-- An entry and its ties are noted at the commit, when all of its changes are made: once is enough. With each note, the counter
-- leaves a row behind that the next one of the transaction steps over.
CREATE OR REPLACE FUNCTION note_change(resource UUID, owner UUID, deleted TIMESTAMPTZ) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    next BIGINT;
BEGIN
    INSERT INTO change_counters AS counter (owner_id, seq) VALUES (owner, 1)
        ON CONFLICT (owner_id) DO UPDATE SET seq = counter.seq + 1
        RETURNING counter.seq INTO next;
    INSERT INTO changes (resource_id, owner_id, seq, deleted_at) VALUES (resource, owner, next, deleted)
        ON CONFLICT (resource_id) DO UPDATE
            SET seq = EXCLUDED.seq, owner_id = EXCLUDED.owner_id, deleted_at = EXCLUDED.deleted_at;
END $$;

-- What is gone again by the commit is told by its own trigger.
CREATE FUNCTION note_once(resource UUID) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM changes
            WHERE resource_id = resource AND deleted_at IS NULL AND xmin = pg_current_xact_id()::xid) THEN
        PERFORM note_change(r.id, r.owner_id, NULL) FROM resources r WHERE r.id = resource;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION note_saved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_once(NEW.id);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION note_tied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_once(CASE WHEN TG_OP = 'INSERT' THEN NEW.resource_id ELSE OLD.resource_id END);
    RETURN NULL;
END $$;

-- A few hundred entries wait in a list that each search reads too, and go into the index together.
ALTER INDEX resources_search SET (fastupdate = on, gin_pending_list_limit = 256);
ALTER INDEX resources_pairs SET (fastupdate = on, gin_pending_list_limit = 256);
