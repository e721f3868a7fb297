-- Whether it is still to be read.
ALTER TABLE resources ADD COLUMN unread INTEGER NOT NULL DEFAULT FALSE CHECK (unread IN (FALSE, TRUE));
CREATE INDEX resources_mine_unread ON resources (owner_id, created_at, id) WHERE trashed_at IS NULL AND unread;
CREATE INDEX resources_shared_unread ON resources (visibility, created_at, id) WHERE trashed_at IS NULL AND visibility <> 'private' AND unread;
