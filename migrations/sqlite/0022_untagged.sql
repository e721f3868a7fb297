-- An entry without tags has no text of tags.
CREATE INDEX resources_untagged ON resources (owner_id, created_at, id) WHERE trashed_at IS NULL AND fold_tags = '';
