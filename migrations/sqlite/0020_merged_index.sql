-- Two pieces of the index of words are enough to be merged; coffer merges them once an hour and after an import.
INSERT INTO resources_fts (resources_fts, rank) VALUES ('usermerge', 2);
