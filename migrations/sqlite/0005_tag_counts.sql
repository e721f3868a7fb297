-- How many entries outside the trash have the tag, by who may see them.
ALTER TABLE tags ADD COLUMN private_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tags ADD COLUMN members_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tags ADD COLUMN public_count INTEGER NOT NULL DEFAULT 0;
UPDATE tags SET private_count = counted.private, members_count = counted.members, public_count = counted.public
    FROM (SELECT rt.tag_id, COUNT(*) FILTER (WHERE r.visibility = 'private') AS private,
            COUNT(*) FILTER (WHERE r.visibility = 'members') AS members,
            COUNT(*) FILTER (WHERE r.visibility = 'public') AS public
        FROM resource_tags rt JOIN resources r ON r.id = rt.resource_id WHERE r.trashed_at IS NULL
        GROUP BY rt.tag_id) counted
    WHERE counted.tag_id = tags.id;
CREATE INDEX tags_shared ON tags (folded) WHERE members_count + public_count > 0;

-- In triggers, so that no statement can forget it.
CREATE TRIGGER tags_tied AFTER INSERT ON resource_tags BEGIN
    UPDATE tags SET private_count = private_count + (r.visibility = 'private'),
            members_count = members_count + (r.visibility = 'members'),
            public_count = public_count + (r.visibility = 'public')
        FROM resources r WHERE r.id = new.resource_id AND r.trashed_at IS NULL AND tags.id = new.tag_id;
END;
CREATE TRIGGER tags_untied AFTER DELETE ON resource_tags BEGIN
    UPDATE tags SET private_count = private_count - (r.visibility = 'private'),
            members_count = members_count - (r.visibility = 'members'),
            public_count = public_count - (r.visibility = 'public')
        FROM resources r WHERE r.id = old.resource_id AND r.trashed_at IS NULL AND tags.id = old.tag_id;
END;
CREATE TRIGGER tags_moved AFTER UPDATE OF visibility, trashed_at ON resources
WHEN old.visibility <> new.visibility OR (old.trashed_at IS NULL) <> (new.trashed_at IS NULL) BEGIN
    UPDATE tags SET
            private_count = private_count + (new.trashed_at IS NULL AND new.visibility = 'private')
                - (old.trashed_at IS NULL AND old.visibility = 'private'),
            members_count = members_count + (new.trashed_at IS NULL AND new.visibility = 'members')
                - (old.trashed_at IS NULL AND old.visibility = 'members'),
            public_count = public_count + (new.trashed_at IS NULL AND new.visibility = 'public')
                - (old.trashed_at IS NULL AND old.visibility = 'public')
        WHERE id IN (SELECT tag_id FROM resource_tags WHERE resource_id = new.id);
END;
-- Before, as its ties are gone afterwards. An account goes with all of its tags.
CREATE TRIGGER tags_deleted BEFORE DELETE ON resources
WHEN old.trashed_at IS NULL AND EXISTS (SELECT 1 FROM users WHERE id = old.owner_id) BEGIN
    UPDATE tags SET private_count = private_count - (old.visibility = 'private'),
            members_count = members_count - (old.visibility = 'members'),
            public_count = public_count - (old.visibility = 'public')
        WHERE id IN (SELECT tag_id FROM resource_tags WHERE resource_id = old.id);
END;
