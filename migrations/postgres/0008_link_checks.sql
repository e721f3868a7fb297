-- What is known of links: three failures over a week make one broken. by_get: HEAD was no success.
CREATE TABLE link_checks (
    resource_id   UUID PRIMARY KEY REFERENCES resources ON DELETE CASCADE,
    site          TEXT NOT NULL,
    next_at       TIMESTAMPTZ NOT NULL,
    by_get        BOOLEAN NOT NULL DEFAULT FALSE,
    failures      BIGINT NOT NULL DEFAULT 0,
    failed_since  TIMESTAMPTZ,
    broken_since  TIMESTAMPTZ
);
CREATE INDEX link_checks_site ON link_checks (site, next_at);
CREATE INDEX link_checks_next ON link_checks (next_at);
CREATE INDEX link_checks_broken ON link_checks (resource_id) WHERE broken_since IS NOT NULL;

-- When a site may be asked again.
CREATE TABLE link_sites (
    site     TEXT PRIMARY KEY,
    next_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX link_sites_next ON link_sites (next_at);
