#!/usr/bin/env bash
# Puts a noun of its own in the place of links and notes, in a copy of the tree, and runs the tests that remain.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=$(mktemp -d -p "${CARGO_TARGET_DIR:-${TMPDIR:-/tmp}}" adoption.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
mkdir "$work/tree"
git ls-files -z --cached --others --exclude-standard | xargs -0 tar -cf - | tar -xf - -C "$work/tree"
python3 "$work/tree/tests/adoption/adopt.py" "$work/tree"
cd "$work/tree"
if [ -d "${CARGO_TARGET_DIR:-}/debug/deps" ]; then
    mkdir -p "$work/target/debug"
    cp -al "$CARGO_TARGET_DIR"/debug/{.fingerprint,build,deps} "$work/target/debug/"
    CARGO_TARGET_DIR=$work/target cargo clean -q --offline -p coffer -p cache-model -p netscape-bookmarks
fi
export CARGO_TARGET_DIR=$work/target
cargo test --lib --test it "$@"
