-- The words of titles, tags and hosts by their ends, from the second letter on: `6050` leads to `mpu6050`. What no entry has
-- any more is removed once an hour. No constraint keeps a word from standing here twice: with one, a save would wait for every
-- other transaction that brings the same new word.
CREATE TABLE word_parts (
    part  TEXT COLLATE "C" NOT NULL,
    word  TEXT COLLATE "C" NOT NULL
);
CREATE INDEX word_parts_part ON word_parts (part, word);

-- Longer words are codes, of which nobody knows a part.
CREATE FUNCTION note_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO word_parts (part, word)
        SELECT substr(word, at), word
            FROM (SELECT DISTINCT word FROM unnest(string_to_array(
                NEW.fold_title || ' ' || NEW.fold_tags || ' ' || translate(COALESCE(NEW.site, ''), '.-_', '   '), ' ')) word) words
            CROSS JOIN generate_series(2, length(word) - 2) at
            WHERE length(word) BETWEEN 4 AND 40
                AND NOT EXISTS (SELECT 1 FROM word_parts known WHERE known.part = substr(words.word, 2) AND known.word = words.word);
    RETURN NULL;
END $$;

INSERT INTO word_parts (part, word)
    SELECT substr(word, at), word
        FROM (SELECT DISTINCT word FROM resources r, unnest(string_to_array(
            r.fold_title || ' ' || r.fold_tags || ' ' || translate(COALESCE(r.site, ''), '.-_', '   '), ' ')) word) words
        CROSS JOIN generate_series(2, length(word) - 2) at
        WHERE length(word) BETWEEN 4 AND 40;

CREATE TRIGGER words_inserted AFTER INSERT ON resources FOR EACH ROW EXECUTE FUNCTION note_words();
CREATE TRIGGER words_updated AFTER UPDATE OF fold_title, fold_tags, site ON resources FOR EACH ROW
    WHEN (OLD.fold_title <> NEW.fold_title OR OLD.fold_tags <> NEW.fold_tags OR OLD.site IS DISTINCT FROM NEW.site)
    EXECUTE FUNCTION note_words();
