#!/usr/bin/env bash
# Runs a script of this folder with a coffer and a setup link of its own: run.sh SCRIPT [ARGUMENT]…
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. bin/shared-target

script=$1
shift
tools=${XDG_CACHE_HOME:-$HOME/.cache}/coffer/pictures
work=$(mktemp -d)
coffer=
trap '[ -z "$coffer" ] || kill "$coffer"; rm -rf "$work"' EXIT

cargo build --quiet
npm install --prefix "$tools" --no-save --no-package-lock --no-audit --no-fund --loglevel=error \
    playwright-core@1.65.1 axe-core@4.14.1 lighthouse@12.8.2
cp tests/pictures/*.mjs "$work"
ln -s "$tools/node_modules" "$work/node_modules"

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
port=$(free_port)
mkdir -m 700 "$work/data"
cd "$work"
COFFER_DATA_DIR=$work/data COFFER_PORT=$port COFFER_FETCH=off "$CARGO_TARGET_DIR/debug/coffer" serve >log 2>&1 &
coffer=$!
for _ in $(seq 150); do
    [ -s data/setup-link ] && break
    sleep 0.2
done
DEBUGGING_PORT=$(free_port) node "$script" "http://localhost:$port" "$(cat data/setup-link)" "$@"
