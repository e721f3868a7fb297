-- The version with which an entry came in by an import; above 1 where its older versions came along.
ALTER TABLE resources ADD COLUMN import_version INTEGER NOT NULL DEFAULT 1;
