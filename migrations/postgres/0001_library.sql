-- The same tables as migrations/sqlite, in PostgreSQL's types.

-- email: the address given. email_key: the same, folded, once it is this account's alone; an account made by
-- registration has claimed its address only, until somebody opens the letter sent there (verified_at).
CREATE TABLE users (
    id              UUID PRIMARY KEY,
    email           TEXT NOT NULL CHECK (length(email) <= 254),
    email_key       TEXT CONSTRAINT users_email UNIQUE,
    username        TEXT NOT NULL CHECK (length(username) BETWEEN 2 AND 32),
    username_key    TEXT NOT NULL CONSTRAINT users_username UNIQUE,
    display_name    TEXT NOT NULL CHECK (length(display_name) BETWEEN 1 AND 80),
    role            TEXT NOT NULL CHECK (role IN ('member', 'admin')),
    password_hash   TEXT,
    totp_secret     BYTEA,
    totp_last_step  BIGINT,
    totp_tries      BIGINT NOT NULL DEFAULT 0,
    totp_tried_at   TIMESTAMPTZ,
    auth_epoch      BIGINT NOT NULL DEFAULT 0,
    factor_epoch    BIGINT NOT NULL DEFAULT 0,
    verified_at     TIMESTAMPTZ,
    disabled_at     TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL
);

CREATE TABLE recovery_codes (
    user_id    UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    code_hash  BYTEA NOT NULL,
    used_at    TIMESTAMPTZ,
    PRIMARY KEY (user_id, code_hash)
);

-- id_hash: SHA-256 of the cookie's value, first 16 bytes. record: the session's data as JSON.
-- public_id: what the device list calls it. family_id: the device that is kept signed in, if it is.
CREATE TABLE sessions (
    id_hash     BYTEA PRIMARY KEY CHECK (octet_length(id_hash) = 16),
    user_id     UUID REFERENCES users ON DELETE CASCADE,
    public_id   UUID,
    family_id   UUID,
    record      TEXT NOT NULL,
    browser     TEXT NOT NULL DEFAULT '',
    network     BYTEA,
    created_at  TIMESTAMPTZ NOT NULL,
    seen_at     TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, seen_at DESC);
CREATE INDEX sessions_family ON sessions (family_id) WHERE family_id IS NOT NULL;
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- A device that is kept signed in, or a program that signed in with a password. scopes: '' for a browser.
CREATE TABLE refresh_families (
    id          UUID PRIMARY KEY,
    user_id     UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    kind        TEXT NOT NULL CHECK (kind IN ('browser', 'api')),
    scopes      TEXT NOT NULL DEFAULT '',
    browser     TEXT NOT NULL DEFAULT '',
    network     BYTEA,
    created_at  TIMESTAMPTZ NOT NULL,
    seen_at     TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL,
    revoked_at  TIMESTAMPTZ
);
CREATE INDEX refresh_families_user ON refresh_families (user_id, expires_at);
CREATE INDEX refresh_families_expiry ON refresh_families (expires_at);

-- Each row is a refresh token and, for a program, the access token that came with it.
CREATE TABLE refresh_tokens (
    token_hash   BYTEA PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    access_hash  BYTEA UNIQUE CHECK (octet_length(access_hash) = 32),
    family_id    UUID NOT NULL REFERENCES refresh_families ON DELETE CASCADE,
    created_at   TIMESTAMPTZ NOT NULL,
    used_at      TIMESTAMPTZ
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family_id);

CREATE TABLE api_tokens (
    id            UUID PRIMARY KEY,
    user_id       UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    name          TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    token_hash    BYTEA NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    scopes        TEXT NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    expires_at    TIMESTAMPTZ NOT NULL,
    last_used_at  TIMESTAMPTZ
);
CREATE INDEX api_tokens_user ON api_tokens (user_id);

CREATE TABLE one_time_tokens (
    token_hash  BYTEA PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    purpose     TEXT NOT NULL CHECK (purpose IN ('setup', 'invite', 'verify', 'email', 'reset')),
    user_id     UUID REFERENCES users ON DELETE CASCADE,
    payload     TEXT,
    created_at  TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX one_time_tokens_expiry ON one_time_tokens (expires_at);
CREATE INDEX one_time_tokens_user ON one_time_tokens (user_id, purpose) WHERE user_id IS NOT NULL;

-- Where a person has logged in from before: a hash of browser family and network, and one of the browser's cookie.
CREATE TABLE known_devices (
    user_id  UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    device   BYTEA NOT NULL CHECK (octet_length(device) = 16),
    seen_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, device)
);
CREATE INDEX known_devices_seen ON known_devices (seen_at);

CREATE TABLE imports (
    id          UUID PRIMARY KEY,
    owner_id    UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    filename    TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('previewed', 'committed', 'undone')),
    report      TEXT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX imports_owner ON imports (owner_id, created_at DESC);

-- url_key: SHA-256 of the normalised URL. site: the host's labels reversed, so that a domain is a prefix.
-- Short columns first: a scan that asks who may see a row reads no further.
-- fold_*: the text as the search index sees it (case, accents and punctuation folded by the application).
-- marks: words beside it that say who may see the row and which filters it meets.
CREATE TABLE resources (
    rid         BIGINT GENERATED ALWAYS AS IDENTITY,
    id          UUID PRIMARY KEY,
    owner_id    UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    kind        TEXT NOT NULL CHECK (kind IN ('link', 'note')),
    visibility  TEXT NOT NULL CHECK (visibility IN ('private', 'members', 'public')),
    pinned      BOOLEAN NOT NULL DEFAULT FALSE,
    version     BIGINT NOT NULL DEFAULT 1 CHECK (version >= 1),
    import_id   UUID REFERENCES imports ON DELETE SET NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    trashed_at  TIMESTAMPTZ,
    search      TSVECTOR NOT NULL GENERATED ALWAYS AS (
                    to_tsvector('simple', fold_title) || to_tsvector('simple', fold_tags) ||
                    to_tsvector('simple', fold_body) || array_to_tsvector(string_to_array(marks, ' '))) STORED,
    site        TEXT COLLATE "C",
    url_key     BYTEA CHECK (octet_length(url_key) = 32),
    url         TEXT CHECK (length(url) <= 8000),
    title       TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 500),
    title_key   TEXT COLLATE "C" NOT NULL,
    fold_title  TEXT NOT NULL,
    fold_tags   TEXT NOT NULL,
    marks       TEXT NOT NULL,
    summary     TEXT NOT NULL,
    body        TEXT NOT NULL CHECK (length(body) <= 100000),
    fold_body   TEXT NOT NULL,
    CHECK ((kind = 'link') = (url IS NOT NULL)),
    CHECK ((url IS NULL) = (url_key IS NULL))
);
-- Searches look into it row by row: long texts give way to it, as long as a row has room.
ALTER TABLE resources ALTER search SET STORAGE MAIN;
CREATE UNIQUE INDEX resources_rid ON resources (rid);
CREATE UNIQUE INDEX resources_url ON resources (owner_id, url_key) WHERE trashed_at IS NULL AND url_key IS NOT NULL;
-- The kind is asked of the index, so that a shelf without any notes need not be read to find none.
CREATE INDEX resources_mine_created ON resources (owner_id, created_at, id, kind) WHERE trashed_at IS NULL;
CREATE INDEX resources_mine_updated ON resources (owner_id, updated_at, id) WHERE trashed_at IS NULL;
CREATE INDEX resources_mine_title ON resources (owner_id, title_key, id) WHERE trashed_at IS NULL;
CREATE INDEX resources_shared_created ON resources (visibility, created_at, id, kind) WHERE trashed_at IS NULL AND visibility <> 'private';
CREATE INDEX resources_shared_owner ON resources (owner_id, visibility, created_at, id) WHERE trashed_at IS NULL AND visibility <> 'private';
CREATE INDEX resources_shared_updated ON resources (visibility, updated_at, id) WHERE trashed_at IS NULL AND visibility <> 'private';
CREATE INDEX resources_shared_title ON resources (visibility, title_key, id) WHERE trashed_at IS NULL AND visibility <> 'private';
CREATE INDEX resources_created ON resources (created_at, id) WHERE trashed_at IS NULL;
CREATE INDEX resources_mine_pinned ON resources (owner_id, created_at, id) WHERE trashed_at IS NULL AND pinned;
CREATE INDEX resources_shared_pinned ON resources (visibility, created_at, id) WHERE trashed_at IS NULL AND visibility <> 'private' AND pinned;
CREATE INDEX resources_site ON resources (site) WHERE trashed_at IS NULL AND site IS NOT NULL;
CREATE INDEX resources_trash ON resources (owner_id, trashed_at, id) WHERE trashed_at IS NOT NULL;
CREATE INDEX resources_import ON resources (import_id) WHERE import_id IS NOT NULL;
CREATE INDEX resources_search ON resources USING GIN (search) WITH (fastupdate = off);

CREATE TABLE revisions (
    resource_id  UUID NOT NULL REFERENCES resources ON DELETE CASCADE,
    version      BIGINT NOT NULL,
    title        TEXT NOT NULL,
    url          TEXT,
    body         TEXT NOT NULL,
    tags         TEXT NOT NULL,
    visibility   TEXT NOT NULL,
    via          TEXT NOT NULL CHECK (via IN ('web', 'api', 'import', 'restore')),
    saved_by     UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    saved_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (resource_id, version)
);

CREATE TABLE tags (
    id        UUID PRIMARY KEY,
    owner_id  UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    name      TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    folded    TEXT COLLATE "C" NOT NULL,
    UNIQUE (owner_id, folded)
);
CREATE INDEX tags_folded ON tags (folded);

CREATE TABLE resource_tags (
    resource_id  UUID NOT NULL REFERENCES resources ON DELETE CASCADE,
    tag_id       UUID NOT NULL REFERENCES tags ON DELETE CASCADE,
    PRIMARY KEY (resource_id, tag_id)
);
CREATE INDEX resource_tags_tag ON resource_tags (tag_id, resource_id);

CREATE TABLE audit_events (
    seq         BIGINT PRIMARY KEY,
    at          TIMESTAMPTZ NOT NULL,
    actor_id    UUID,
    action      TEXT NOT NULL,
    target      TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    network     BYTEA,
    request_id  TEXT NOT NULL,
    previous    BYTEA NOT NULL,
    hash        BYTEA NOT NULL
);
CREATE INDEX audit_events_actor ON audit_events (actor_id, seq);
CREATE INDEX audit_events_target ON audit_events (target, seq);
CREATE INDEX audit_events_at ON audit_events (at);
CREATE INDEX audit_events_action ON audit_events (action, seq);

CREATE FUNCTION audit_events_append_only() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_events is append-only';
END
$$;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_append_only();

-- One row: the number and hash of the last event, and the id of the master key under which it was written (empty until
-- the first start). An append holds the row until its transaction ends.
CREATE TABLE audit_head (
    id      BIGINT PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    seq     BIGINT NOT NULL,
    hash    BYTEA NOT NULL,
    key_id  BYTEA NOT NULL DEFAULT ''
);
INSERT INTO audit_head (seq, hash) VALUES (0, '');

-- Earlier master keys. audit_until: the last event that was chained under it. sealed: what is still needed of it, under
-- the key in force; NULL when the key was lost.
CREATE TABLE retired_keys (
    key_id       BYTEA PRIMARY KEY CHECK (length(key_id) = 8),
    audit_until  BIGINT NOT NULL,
    sealed       BYTEA
);

-- Letters that still have to go out.
CREATE TABLE mails (
    id          UUID PRIMARY KEY,
    recipient   TEXT NOT NULL,
    -- Subject, text and HTML with its link, encrypted for this row.
    sealed      BYTEA NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    next_at     TIMESTAMPTZ NOT NULL,
    attempts    BIGINT NOT NULL DEFAULT 0,
    last_error  TEXT
);
CREATE INDEX mails_next ON mails (next_at);

-- What must still be told to Redis (revoked sessions) and to the other nodes (scopes that writes have touched).
-- seq: in the order of insertion, which is nearly that of the commits. told: where Redis was told of a session; nobody
-- need be told of one that was begun, but its number counts.
CREATE TABLE outbox (
    seq         BIGINT GENERATED ALWAYS AS IDENTITY,
    id          UUID PRIMARY KEY,
    topic       TEXT NOT NULL CHECK (topic IN ('session', 'cache', 'begun')),
    payload     TEXT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    told        TEXT
);
CREATE INDEX outbox_seq ON outbox (topic, seq);

-- One row. name: part of every key in Redis, another after a backup was restored. position: the highest number that a
-- row removed from the outbox had; mark: that row's id.
CREATE TABLE installation (
    id        BIGINT PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    name      TEXT NOT NULL,
    position  BIGINT NOT NULL DEFAULT 0,
    mark      UUID
);
INSERT INTO installation (name) VALUES (left(replace(gen_random_uuid()::text, '-', ''), 16));
