-- PostgreSQL plans a function in SQL anew at each call, and keeps the plans of one in PL/pgSQL.
CREATE OR REPLACE FUNCTION count_ties(by BIGINT, tied UUID[], to_tags UUID[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH counted AS (
        SELECT tie.tag_id, COUNT(*) FILTER (WHERE r.visibility = 'private') AS private,
            COUNT(*) FILTER (WHERE r.visibility = 'members') AS members,
            COUNT(*) FILTER (WHERE r.visibility = 'public') AS public
        FROM unnest(tied, to_tags) tie (resource_id, tag_id) JOIN resources r ON r.id = tie.resource_id
        WHERE r.trashed_at IS NULL GROUP BY tie.tag_id
    ), locked AS MATERIALIZED (
        SELECT id FROM tags WHERE id IN (SELECT tag_id FROM counted) ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE tags SET private_count = private_count + by * counted.private,
            members_count = members_count + by * counted.members, public_count = public_count + by * counted.public
        FROM counted JOIN locked ON locked.id = counted.tag_id WHERE tags.id = counted.tag_id;
END $$;

CREATE OR REPLACE FUNCTION add_word_parts(words TEXT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO word_parts (part, word)
        SELECT substr(given.word, at), given.word
            FROM (SELECT DISTINCT w AS word FROM unnest(string_to_array(words, ' ')) w) given
            CROSS JOIN generate_series(2, length(given.word) - 2) at
            WHERE length(given.word) BETWEEN 4 AND 40
                AND NOT EXISTS (SELECT 1 FROM word_parts known WHERE known.part = substr(given.word, 2) AND known.word = given.word);
END $$;

CREATE OR REPLACE FUNCTION word_pairs(title TEXT, tags TEXT, body TEXT) RETURNS INT[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF length(body) >= 30000 THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT COALESCE(array_agg(DISTINCT hashtext(word || ' ' || next)), '{}')
        FROM (SELECT word, lead(word) OVER (ORDER BY at) AS next
            FROM unnest(string_to_array(title || E' \t ' || tags || E' \t ' || body, ' ')) WITH ORDINALITY words (word, at)) pairs
        WHERE next IS NOT NULL);
END $$;
