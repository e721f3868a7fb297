-- How many entries outside the trash have the tag, by who may see them.
ALTER TABLE tags
    ADD COLUMN private_count BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN members_count BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN public_count  BIGINT NOT NULL DEFAULT 0;
UPDATE tags SET private_count = counted.private, members_count = counted.members, public_count = counted.public
    FROM (SELECT rt.tag_id, COUNT(*) FILTER (WHERE r.visibility = 'private') AS private,
            COUNT(*) FILTER (WHERE r.visibility = 'members') AS members,
            COUNT(*) FILTER (WHERE r.visibility = 'public') AS public
        FROM resource_tags rt JOIN resources r ON r.id = rt.resource_id WHERE r.trashed_at IS NULL
        GROUP BY rt.tag_id) counted
    WHERE counted.tag_id = tags.id;
CREATE INDEX tags_shared ON tags (folded) WHERE members_count + public_count > 0;

-- In triggers, so that no statement can forget it. Those on resource_tags run once a statement: an import ties thousands
-- of entries to one tag. Each locks its tags in one order, so that two of them don't wait for each other.
CREATE FUNCTION count_ties(by BIGINT, tied UUID[], to_tags UUID[]) RETURNS void LANGUAGE sql AS $$
    WITH counted AS (
        SELECT tie.tag_id, COUNT(*) FILTER (WHERE r.visibility = 'private') AS private,
            COUNT(*) FILTER (WHERE r.visibility = 'members') AS members,
            COUNT(*) FILTER (WHERE r.visibility = 'public') AS public
        FROM unnest(tied, to_tags) tie (resource_id, tag_id) JOIN resources r ON r.id = tie.resource_id
        WHERE r.trashed_at IS NULL GROUP BY tie.tag_id
    ), locked AS MATERIALIZED (
        SELECT id FROM tags WHERE id IN (SELECT tag_id FROM counted) ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE tags SET private_count = private_count + by * counted.private,
            members_count = members_count + by * counted.members, public_count = public_count + by * counted.public
        FROM counted JOIN locked ON locked.id = counted.tag_id WHERE tags.id = counted.tag_id;
$$;

CREATE FUNCTION count_tied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Most deletions of entries reach here without any.
    IF EXISTS (SELECT 1 FROM ties) THEN
        PERFORM count_ties(CASE WHEN TG_OP = 'INSERT' THEN 1 ELSE -1 END, array_agg(resource_id), array_agg(tag_id)) FROM ties;
    END IF;
    RETURN NULL;
END $$;

-- An entry that is trashed, restored, shown to others, or deleted without having been in the trash.
CREATE FUNCTION count_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    had TEXT := CASE WHEN OLD.trashed_at IS NULL THEN OLD.visibility END;
    has TEXT := CASE WHEN TG_OP = 'UPDATE' AND NEW.trashed_at IS NULL THEN NEW.visibility END;
BEGIN
    -- An account goes with all of its tags.
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT 1 FROM users WHERE id = OLD.owner_id) THEN
        RETURN OLD;
    END IF;
    PERFORM 1 FROM tags WHERE id IN (SELECT tag_id FROM resource_tags WHERE resource_id = OLD.id)
        ORDER BY id FOR NO KEY UPDATE;
    UPDATE tags SET
            private_count = private_count + (COALESCE(has = 'private', FALSE)::int - COALESCE(had = 'private', FALSE)::int),
            members_count = members_count + (COALESCE(has = 'members', FALSE)::int - COALESCE(had = 'members', FALSE)::int),
            public_count = public_count + (COALESCE(has = 'public', FALSE)::int - COALESCE(had = 'public', FALSE)::int)
        FROM resource_tags rt WHERE rt.resource_id = OLD.id AND tags.id = rt.tag_id;
    RETURN COALESCE(NEW, OLD);
END $$;

CREATE TRIGGER tags_tied AFTER INSERT ON resource_tags
    REFERENCING NEW TABLE AS ties FOR EACH STATEMENT EXECUTE FUNCTION count_tied();
CREATE TRIGGER tags_untied AFTER DELETE ON resource_tags
    REFERENCING OLD TABLE AS ties FOR EACH STATEMENT EXECUTE FUNCTION count_tied();
CREATE TRIGGER tags_moved AFTER UPDATE ON resources FOR EACH ROW
    WHEN (OLD.visibility <> NEW.visibility OR (OLD.trashed_at IS NULL) <> (NEW.trashed_at IS NULL))
    EXECUTE FUNCTION count_moved();
-- Before, as its ties are gone afterwards.
CREATE TRIGGER tags_deleted BEFORE DELETE ON resources FOR EACH ROW
    WHEN (OLD.trashed_at IS NULL) EXECUTE FUNCTION count_moved();
