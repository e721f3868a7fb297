-- The same tables as migrations/postgres, in SQLite's types: BLOB ids, INTEGER microseconds, STRICT.

-- email: the address given. email_key: the same, folded, once it is this account's alone; an account made by
-- registration has claimed its address only, until somebody opens the letter sent there (verified_at).
CREATE TABLE users (
    id              BLOB PRIMARY KEY NOT NULL,
    email           TEXT NOT NULL CHECK (length(email) <= 254),
    email_key       TEXT CONSTRAINT users_email UNIQUE,
    username        TEXT NOT NULL CHECK (length(username) BETWEEN 2 AND 32),
    username_key    TEXT NOT NULL CONSTRAINT users_username UNIQUE,
    display_name    TEXT NOT NULL CHECK (length(display_name) BETWEEN 1 AND 80),
    role            TEXT NOT NULL CHECK (role IN ('member', 'admin')),
    password_hash   TEXT,
    totp_secret     BLOB,
    totp_last_step  INTEGER,
    totp_tries      INTEGER NOT NULL DEFAULT 0,
    totp_tried_at   INTEGER,
    auth_epoch      INTEGER NOT NULL DEFAULT 0,
    factor_epoch    INTEGER NOT NULL DEFAULT 0,
    verified_at     INTEGER,
    disabled_at     INTEGER,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_codes (
    user_id    BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    code_hash  BLOB NOT NULL,
    used_at    INTEGER,
    PRIMARY KEY (user_id, code_hash)
) STRICT;

-- id_hash: SHA-256 of the cookie's value, first 16 bytes. record: the session's data as JSON.
-- public_id: what the device list calls it. family_id: the device that is kept signed in, if it is.
CREATE TABLE sessions (
    id_hash     BLOB PRIMARY KEY NOT NULL CHECK (length(id_hash) = 16),
    user_id     BLOB REFERENCES users ON DELETE CASCADE,
    public_id   BLOB,
    family_id   BLOB,
    record      TEXT NOT NULL,
    browser     TEXT NOT NULL DEFAULT '',
    network     BLOB,
    created_at  INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id, seen_at DESC);
CREATE INDEX sessions_family ON sessions (family_id) WHERE family_id IS NOT NULL;
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- A device that is kept signed in, or a program that signed in with a password. scopes: '' for a browser.
CREATE TABLE refresh_families (
    id          BLOB PRIMARY KEY NOT NULL,
    user_id     BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    kind        TEXT NOT NULL CHECK (kind IN ('browser', 'api')),
    scopes      TEXT NOT NULL DEFAULT '',
    browser     TEXT NOT NULL DEFAULT '',
    network     BLOB,
    created_at  INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    revoked_at  INTEGER
) STRICT;
CREATE INDEX refresh_families_user ON refresh_families (user_id, expires_at);
CREATE INDEX refresh_families_expiry ON refresh_families (expires_at);

-- Each row is a refresh token and, for a program, the access token that came with it.
CREATE TABLE refresh_tokens (
    token_hash   BLOB PRIMARY KEY NOT NULL CHECK (length(token_hash) = 32),
    access_hash  BLOB UNIQUE CHECK (length(access_hash) = 32),
    family_id    BLOB NOT NULL REFERENCES refresh_families ON DELETE CASCADE,
    created_at   INTEGER NOT NULL,
    used_at      INTEGER
) STRICT;
CREATE INDEX refresh_tokens_family ON refresh_tokens (family_id);

CREATE TABLE api_tokens (
    id            BLOB PRIMARY KEY NOT NULL,
    user_id       BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    name          TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    token_hash    BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    scopes        TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    last_used_at  INTEGER
) STRICT;
CREATE INDEX api_tokens_user ON api_tokens (user_id);

CREATE TABLE one_time_tokens (
    token_hash  BLOB PRIMARY KEY NOT NULL CHECK (length(token_hash) = 32),
    purpose     TEXT NOT NULL CHECK (purpose IN ('setup', 'invite', 'verify', 'email', 'reset')),
    user_id     BLOB REFERENCES users ON DELETE CASCADE,
    payload     TEXT,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX one_time_tokens_expiry ON one_time_tokens (expires_at);
CREATE INDEX one_time_tokens_user ON one_time_tokens (user_id, purpose) WHERE user_id IS NOT NULL;

-- Where a person has logged in from before: a hash of browser family and network, and one of the browser's cookie.
CREATE TABLE known_devices (
    user_id  BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    device   BLOB NOT NULL CHECK (length(device) = 16),
    seen_at  INTEGER NOT NULL,
    PRIMARY KEY (user_id, device)
) STRICT;
CREATE INDEX known_devices_seen ON known_devices (seen_at);

CREATE TABLE imports (
    id          BLOB PRIMARY KEY NOT NULL,
    owner_id    BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    filename    TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('previewed', 'committed', 'undone')),
    report      TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX imports_owner ON imports (owner_id, created_at DESC);

-- url_key: SHA-256 of the normalised URL. site: the host's labels reversed, so that a domain is a prefix.
-- fold_*: the text as the search index sees it (case, accents and punctuation folded by the application).
-- marks: words beside it that say who may see the row and which filters it meets.
-- Short columns first: who may see a row is read without the pages that a long text goes on to.
CREATE TABLE resources (
    rid         INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE,
    owner_id    BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    kind        TEXT NOT NULL CHECK (kind IN ('link', 'note')),
    visibility  TEXT NOT NULL CHECK (visibility IN ('private', 'members', 'public')),
    pinned      INTEGER NOT NULL DEFAULT FALSE CHECK (pinned IN (FALSE, TRUE)),
    version     INTEGER NOT NULL DEFAULT 1 CHECK (version >= 1),
    import_id   BLOB REFERENCES imports ON DELETE SET NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    trashed_at  INTEGER,
    site        TEXT,
    url_key     BLOB CHECK (length(url_key) = 32),
    url         TEXT CHECK (length(url) <= 8000),
    title       TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 500),
    title_key   TEXT NOT NULL,
    fold_title  TEXT NOT NULL,
    fold_tags   TEXT NOT NULL,
    marks       TEXT NOT NULL,
    summary     TEXT NOT NULL,
    body        TEXT NOT NULL CHECK (length(body) <= 100000),
    fold_body   TEXT NOT NULL,
    CHECK ((kind = 'link') = (url IS NOT NULL)),
    CHECK ((url IS NULL) = (url_key IS NULL))
) STRICT;
CREATE UNIQUE INDEX resources_url ON resources (owner_id, url_key) WHERE trashed_at IS NULL AND url_key IS NOT NULL;
-- The kind is asked of the index, so that a shelf without any notes need not be read to find none.
CREATE INDEX resources_mine_created ON resources (owner_id, created_at, id, kind) WHERE trashed_at IS NULL;
CREATE INDEX resources_mine_updated ON resources (owner_id, updated_at, id) WHERE trashed_at IS NULL;
CREATE INDEX resources_mine_title ON resources (owner_id, title_key, id) WHERE trashed_at IS NULL;
CREATE INDEX resources_shared_created ON resources (visibility, created_at, id, kind) WHERE trashed_at IS NULL AND visibility <> 'private';
CREATE INDEX resources_shared_owner ON resources (owner_id, visibility, created_at, id) WHERE trashed_at IS NULL AND visibility <> 'private';
CREATE INDEX resources_shared_updated ON resources (visibility, updated_at, id) WHERE trashed_at IS NULL AND visibility <> 'private';
CREATE INDEX resources_shared_title ON resources (visibility, title_key, id) WHERE trashed_at IS NULL AND visibility <> 'private';
CREATE INDEX resources_mine_pinned ON resources (owner_id, created_at, id) WHERE trashed_at IS NULL AND pinned;
CREATE INDEX resources_shared_pinned ON resources (visibility, created_at, id) WHERE trashed_at IS NULL AND visibility <> 'private' AND pinned;
CREATE INDEX resources_site ON resources (site) WHERE trashed_at IS NULL AND site IS NOT NULL;
CREATE INDEX resources_trash ON resources (owner_id, trashed_at, id) WHERE trashed_at IS NOT NULL;
CREATE INDEX resources_import ON resources (import_id) WHERE import_id IS NOT NULL;

-- Full text over the folded columns; the index keeps no copy of the text.
CREATE VIRTUAL TABLE resources_fts USING fts5 (
    fold_title, fold_tags, fold_body, marks,
    content = 'resources', content_rowid = 'rid', tokenize = "unicode61 remove_diacritics 0 categories 'L* N* Co M*'", prefix = '2 3'
);
CREATE TRIGGER resources_fts_insert AFTER INSERT ON resources BEGIN
    INSERT INTO resources_fts (rowid, fold_title, fold_tags, fold_body, marks)
    VALUES (new.rid, new.fold_title, new.fold_tags, new.fold_body, new.marks);
END;
CREATE TRIGGER resources_fts_delete AFTER DELETE ON resources BEGIN
    INSERT INTO resources_fts (resources_fts, rowid, fold_title, fold_tags, fold_body, marks)
    VALUES ('delete', old.rid, old.fold_title, old.fold_tags, old.fold_body, old.marks);
END;
CREATE TRIGGER resources_fts_update AFTER UPDATE OF fold_title, fold_tags, fold_body, marks ON resources BEGIN
    INSERT INTO resources_fts (resources_fts, rowid, fold_title, fold_tags, fold_body, marks)
    VALUES ('delete', old.rid, old.fold_title, old.fold_tags, old.fold_body, old.marks);
    INSERT INTO resources_fts (rowid, fold_title, fold_tags, fold_body, marks)
    VALUES (new.rid, new.fold_title, new.fold_tags, new.fold_body, new.marks);
END;

CREATE TABLE revisions (
    resource_id  BLOB NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
    version      INTEGER NOT NULL,
    title        TEXT NOT NULL,
    url          TEXT,
    body         TEXT NOT NULL,
    tags         TEXT NOT NULL,
    visibility   TEXT NOT NULL,
    via          TEXT NOT NULL CHECK (via IN ('web', 'api', 'import', 'restore')),
    saved_by     BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    saved_at     INTEGER NOT NULL,
    PRIMARY KEY (resource_id, version)
) STRICT;

CREATE TABLE tags (
    id        BLOB PRIMARY KEY NOT NULL,
    owner_id  BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    name      TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    folded    TEXT NOT NULL,
    UNIQUE (owner_id, folded)
) STRICT;
CREATE INDEX tags_folded ON tags (folded);

CREATE TABLE resource_tags (
    resource_id  BLOB NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
    tag_id       BLOB NOT NULL REFERENCES tags ON DELETE CASCADE,
    PRIMARY KEY (resource_id, tag_id)
) STRICT;
CREATE INDEX resource_tags_tag ON resource_tags (tag_id, resource_id);

CREATE TABLE audit_events (
    seq         INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    actor_id    BLOB,
    action      TEXT NOT NULL,
    target      TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    network     BLOB,
    request_id  TEXT NOT NULL,
    previous    BLOB NOT NULL,
    hash        BLOB NOT NULL
) STRICT;
CREATE INDEX audit_events_actor ON audit_events (actor_id, seq);
CREATE INDEX audit_events_target ON audit_events (target, seq);
CREATE INDEX audit_events_at ON audit_events (at);
CREATE INDEX audit_events_action ON audit_events (action, seq);

CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;

-- One row: the number and hash of the last event, and the id of the master key under which it was written (empty until
-- the first start). An append holds the row until its transaction ends.
CREATE TABLE audit_head (
    id      INTEGER PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    seq     INTEGER NOT NULL,
    hash    BLOB NOT NULL,
    key_id  BLOB NOT NULL DEFAULT x''
) STRICT;
INSERT INTO audit_head (seq, hash) VALUES (0, x'');

-- Earlier master keys. audit_until: the last event that was chained under it. sealed: what is still needed of it, under
-- the key in force; NULL when the key was lost.
CREATE TABLE retired_keys (
    key_id       BLOB PRIMARY KEY NOT NULL CHECK (length(key_id) = 8),
    audit_until  INTEGER NOT NULL,
    sealed       BLOB
) STRICT;

-- Letters that still have to go out.
CREATE TABLE mails (
    id          BLOB PRIMARY KEY NOT NULL,
    recipient   TEXT NOT NULL,
    -- Subject, text and HTML with its link, encrypted for this row.
    sealed      BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    last_error  TEXT
) STRICT;
CREATE INDEX mails_next ON mails (next_at);

-- What must still be told to Redis (revoked sessions) and to the other nodes (scopes that writes have touched).
-- seq: in the order of insertion, which is nearly that of the commits.
CREATE TABLE outbox (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          BLOB NOT NULL UNIQUE,
    topic       TEXT NOT NULL CHECK (topic IN ('session', 'cache', 'begun')),
    payload     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    told        TEXT
) STRICT;
CREATE INDEX outbox_seq ON outbox (topic, seq);

CREATE TABLE installation (
    id        INTEGER PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    name      TEXT NOT NULL,
    position  INTEGER NOT NULL DEFAULT 0,
    mark      BLOB
) STRICT;
INSERT INTO installation (name) VALUES (lower(hex(randomblob(8))));
