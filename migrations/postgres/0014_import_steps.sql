-- An import is carried out in steps, each in a transaction of its own.
ALTER TABLE imports DROP CONSTRAINT imports_state_check;
ALTER TABLE imports ADD CONSTRAINT imports_state_check
    CHECK (state IN ('previewed', 'importing', 'committed', 'undoing', 'undone'));

-- choices: JSON. total, done: entries of the file. began_at: of links without a date.
ALTER TABLE imports
    ADD COLUMN choices TEXT NOT NULL DEFAULT '{}',
    ADD COLUMN total BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN done BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN began_at TIMESTAMPTZ,
    ADD COLUMN stepped_at TIMESTAMPTZ;
UPDATE imports SET began_at = created_at, stepped_at = created_at;
ALTER TABLE imports ALTER COLUMN began_at SET NOT NULL, ALTER COLUMN stepped_at SET NOT NULL;
CREATE INDEX imports_open ON imports (stepped_at) WHERE state IN ('importing', 'undoing');

-- In parts, so that no write takes long.
CREATE TABLE import_parts (
    import_id  UUID NOT NULL REFERENCES imports ON DELETE CASCADE,
    part       BIGINT NOT NULL,
    bytes      BYTEA NOT NULL,
    PRIMARY KEY (import_id, part)
);
INSERT INTO import_parts SELECT import_id, 0, bytes FROM import_files;
UPDATE imports SET choices = json_build_object('visibility', f.visibility, 'charset', f.charset)::text
    FROM import_files f WHERE f.import_id = imports.id;
DROP TABLE import_files;

CREATE INDEX resources_trash_url ON resources (owner_id, url_key) WHERE trashed_at IS NOT NULL;
