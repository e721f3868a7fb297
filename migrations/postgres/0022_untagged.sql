-- The latest entries of all are for ranked searches, which say `rid > 0`: every entry meets it. Otherwise a plan that PostgreSQL keeps for
-- all people might look for one person's entries here, and read everybody's to find few.
DROP INDEX resources_created;
CREATE INDEX resources_latest ON resources (created_at, id) WHERE trashed_at IS NULL AND rid > 0;
-- An entry without tags has no text of tags.
CREATE INDEX resources_untagged ON resources (owner_id, created_at, id) WHERE trashed_at IS NULL AND fold_tags = '';
