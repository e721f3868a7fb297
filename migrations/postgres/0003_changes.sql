-- What changed last of each entry, in the order in which its owner's changes were saved: each takes the next of the owner's
-- numbers. A row outlives its entry, so that others learn that it is gone.
CREATE TABLE change_counters (
    owner_id   UUID PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    seq        BIGINT NOT NULL,
    -- The highest number among the rows that were forgotten.
    forgotten  BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE changes (
    resource_id  UUID PRIMARY KEY,
    owner_id     UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    seq          BIGINT NOT NULL,
    deleted_at   TIMESTAMPTZ
);
CREATE UNIQUE INDEX changes_seq ON changes (owner_id, seq);
CREATE INDEX changes_deleted ON changes (deleted_at) WHERE deleted_at IS NOT NULL;

INSERT INTO changes (resource_id, owner_id, seq)
    SELECT id, owner_id, row_number() OVER (PARTITION BY owner_id ORDER BY created_at, id) FROM resources;
INSERT INTO change_counters (owner_id, seq) SELECT owner_id, MAX(seq) FROM changes GROUP BY owner_id;

-- In triggers, so that no statement can forget it.
CREATE FUNCTION note_change(resource UUID, owner UUID, deleted TIMESTAMPTZ) RETURNS void LANGUAGE sql AS $$
    WITH next AS (
        INSERT INTO change_counters (owner_id, seq) VALUES (owner, 1)
            ON CONFLICT (owner_id) DO UPDATE SET seq = change_counters.seq + 1
            RETURNING seq
    )
    INSERT INTO changes (resource_id, owner_id, seq, deleted_at) SELECT resource, owner, next.seq, deleted FROM next
        ON CONFLICT (resource_id) DO UPDATE
            SET seq = EXCLUDED.seq, owner_id = EXCLUDED.owner_id, deleted_at = EXCLUDED.deleted_at;
$$;

CREATE FUNCTION note_saved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- What is gone again by the commit is told by its own trigger.
    PERFORM note_change(r.id, r.owner_id, NULL) FROM resources r WHERE r.id = NEW.id;
    RETURN NULL;
END $$;

CREATE FUNCTION note_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Not when the account itself goes.
    PERFORM note_change(OLD.id, OLD.owner_id, now()) FROM users WHERE id = OLD.owner_id;
    RETURN NULL;
END $$;

-- A tag that is tied, untied or spelled anew changes the entries that have it.
CREATE FUNCTION note_tied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_change(r.id, r.owner_id, NULL) FROM resources r
        WHERE r.id = CASE WHEN TG_OP = 'INSERT' THEN NEW.resource_id ELSE OLD.resource_id END;
    RETURN NULL;
END $$;

CREATE FUNCTION note_respelled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_change(r.id, r.owner_id, NULL) FROM resources r JOIN resource_tags rt ON rt.resource_id = r.id
        WHERE rt.tag_id = NEW.id;
    RETURN NULL;
END $$;

-- Deferred to the commit: a transaction that holds the counter waits for no entry any more.
CREATE CONSTRAINT TRIGGER changes_saved AFTER INSERT OR UPDATE ON resources
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_saved();
CREATE CONSTRAINT TRIGGER changes_deleted AFTER DELETE ON resources
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_deleted();
CREATE CONSTRAINT TRIGGER changes_tied AFTER INSERT OR DELETE ON resource_tags
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_tied();
CREATE CONSTRAINT TRIGGER changes_respelled AFTER UPDATE OF name ON tags
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.name <> OLD.name) EXECUTE FUNCTION note_respelled();
