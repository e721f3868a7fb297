-- Numbers the changes of entries that are saved together. note_once then finds them noted.
CREATE FUNCTION note_changes(owner UUID, noted UUID[]) RETURNS void LANGUAGE sql AS $$
    WITH counted AS (
        INSERT INTO change_counters AS counter (owner_id, seq) VALUES (owner, cardinality(noted))
            ON CONFLICT (owner_id) DO UPDATE SET seq = counter.seq + EXCLUDED.seq
            RETURNING seq
    )
    INSERT INTO changes (resource_id, owner_id, seq)
        SELECT entry.id, owner, counted.seq - cardinality(noted) + MAX(entry.place)
            FROM counted, unnest(noted) WITH ORDINALITY entry (id, place) GROUP BY entry.id, counted.seq
        ON CONFLICT (resource_id) DO UPDATE
            SET seq = EXCLUDED.seq, owner_id = EXCLUDED.owner_id, deleted_at = NULL;
$$;

-- The words of an entry of which parts are searched.
CREATE FUNCTION words_with_parts(fold_title TEXT, fold_tags TEXT, site TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT fold_title || ' ' || fold_tags || ' ' || translate(COALESCE(site, ''), '.-_', '   ');
$$;

CREATE FUNCTION add_word_parts(words TEXT) RETURNS void LANGUAGE sql AS $$
    INSERT INTO word_parts (part, word)
        SELECT substr(word, at), word
            FROM (SELECT DISTINCT word FROM unnest(string_to_array(words, ' ')) word) words
            CROSS JOIN generate_series(2, length(word) - 2) at
            WHERE length(word) BETWEEN 4 AND 40
                AND NOT EXISTS (SELECT 1 FROM word_parts known WHERE known.part = substr(words.word, 2) AND known.word = words.word);
$$;

CREATE OR REPLACE FUNCTION note_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_word_parts(words_with_parts(NEW.fold_title, NEW.fold_tags, NEW.site));
    RETURN NULL;
END $$;

-- Once a statement: entries that come in together have many words in common.
CREATE FUNCTION note_new_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_word_parts(string_agg(words_with_parts(fold_title, fold_tags, site), ' ')) FROM added;
    RETURN NULL;
END $$;
DROP TRIGGER words_inserted ON resources;
CREATE TRIGGER words_inserted AFTER INSERT ON resources
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_new_words();
