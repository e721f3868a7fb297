-- Every two words in a row, as hashes: an index of them finds the few rows with a phrase of common words. NULL for very long
-- texts, of which the phrase itself is looked for in the text.
CREATE FUNCTION word_pairs(title TEXT, tags TEXT, body TEXT) RETURNS INT[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN length(body) < 30000 THEN (
        SELECT COALESCE(array_agg(DISTINCT hashtext(word || ' ' || next)), '{}')
            FROM (SELECT word, lead(word) OVER (ORDER BY at) AS next
                FROM unnest(string_to_array(title || E' \t ' || tags || E' \t ' || body, ' ')) WITH ORDINALITY words (word, at)) pairs
            WHERE next IS NOT NULL)
    END;
$$;
ALTER TABLE resources ADD COLUMN pairs INT[] GENERATED ALWAYS AS (word_pairs(fold_title, fold_tags, fold_body)) STORED;
CREATE INDEX resources_pairs ON resources USING GIN (pairs) WITH (fastupdate = off);
CREATE INDEX resources_without_pairs ON resources (id) WHERE pairs IS NULL;
