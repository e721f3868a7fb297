-- The words of titles, tags and hosts by their ends, from the second letter on: `6050` leads to `mpu6050`. What no entry has
-- any more is removed once an hour.
CREATE TABLE word_parts (
    part  TEXT NOT NULL,
    word  TEXT NOT NULL,
    PRIMARY KEY (part, word)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO word_parts (part, word)
    SELECT substr(w.value, e.value), w.value FROM resources r,
            json_each('["' || replace(r.fold_title || ' ' || r.fold_tags || ' '
                || replace(replace(replace(COALESCE(r.site, ''), '.', ' '), '-', ' '), '_', ' '), ' ', '","') || '"]') w
        JOIN json_each('[2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38]') e
            ON e.value <= length(w.value) - 2
        WHERE length(w.value) BETWEEN 4 AND 40;

-- Folded words hold nothing that JSON escapes. Longer words are codes, of which nobody knows a part.
CREATE TRIGGER words_inserted AFTER INSERT ON resources BEGIN
    INSERT OR IGNORE INTO word_parts (part, word)
        SELECT substr(w.value, e.value), w.value FROM json_each('["' || replace(new.fold_title || ' ' || new.fold_tags || ' '
                || replace(replace(replace(COALESCE(new.site, ''), '.', ' '), '-', ' '), '_', ' '), ' ', '","') || '"]') w
            JOIN json_each('[2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38]') e
                ON e.value <= length(w.value) - 2
            WHERE length(w.value) BETWEEN 4 AND 40
                AND NOT EXISTS (SELECT 1 FROM word_parts p WHERE p.part = substr(w.value, 2) AND p.word = w.value);
END;
CREATE TRIGGER words_updated AFTER UPDATE OF fold_title, fold_tags, site ON resources
WHEN old.fold_title <> new.fold_title OR old.fold_tags <> new.fold_tags OR old.site IS NOT new.site BEGIN
    INSERT OR IGNORE INTO word_parts (part, word)
        SELECT substr(w.value, e.value), w.value FROM json_each('["' || replace(new.fold_title || ' ' || new.fold_tags || ' '
                || replace(replace(replace(COALESCE(new.site, ''), '.', ' '), '-', ' '), '_', ' '), ' ', '","') || '"]') w
            JOIN json_each('[2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38]') e
                ON e.value <= length(w.value) - 2
            WHERE length(w.value) BETWEEN 4 AND 40
                AND NOT EXISTS (SELECT 1 FROM word_parts p WHERE p.part = substr(w.value, 2) AND p.word = w.value);
END;
