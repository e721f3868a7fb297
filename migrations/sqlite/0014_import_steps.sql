-- An import is carried out in steps, each in a transaction of its own.
DROP INDEX imports_previewed;
ALTER TABLE imports ADD COLUMN stage TEXT NOT NULL DEFAULT 'previewed'
    CHECK (stage IN ('previewed', 'importing', 'committed', 'undoing', 'undone'));
UPDATE imports SET stage = state;
ALTER TABLE imports DROP COLUMN state;
ALTER TABLE imports RENAME COLUMN stage TO state;

-- choices: JSON. total, done: entries of the file. began_at: of links without a date.
ALTER TABLE imports ADD COLUMN choices TEXT NOT NULL DEFAULT '{}';
ALTER TABLE imports ADD COLUMN total INTEGER NOT NULL DEFAULT 0;
ALTER TABLE imports ADD COLUMN done INTEGER NOT NULL DEFAULT 0;
ALTER TABLE imports ADD COLUMN began_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE imports ADD COLUMN stepped_at INTEGER NOT NULL DEFAULT 0;
UPDATE imports SET began_at = created_at, stepped_at = created_at;
CREATE INDEX imports_previewed ON imports (created_at) WHERE state = 'previewed';
CREATE INDEX imports_open ON imports (stepped_at) WHERE state IN ('importing', 'undoing');

-- In parts, so that no write takes long.
CREATE TABLE import_parts (
    import_id  BLOB NOT NULL REFERENCES imports ON DELETE CASCADE,
    part       INTEGER NOT NULL,
    bytes      BLOB NOT NULL,
    PRIMARY KEY (import_id, part)
) STRICT;
INSERT INTO import_parts SELECT import_id, 0, bytes FROM import_files;
UPDATE imports SET choices = (SELECT json_object('visibility', f.visibility, 'charset', f.charset)
        FROM import_files f WHERE f.import_id = imports.id)
    WHERE id IN (SELECT import_id FROM import_files);
DROP TABLE import_files;

CREATE INDEX resources_trash_url ON resources (owner_id, url_key) WHERE trashed_at IS NOT NULL;
