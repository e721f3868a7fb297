-- PostgreSQL keeps the longest text of a large row elsewhere, where each row's is looked up alone. Searches read the folded text of
-- each match, so another text makes room. Entries that are there change with their next version.
ALTER TABLE resources ALTER fold_body SET STORAGE MAIN;
