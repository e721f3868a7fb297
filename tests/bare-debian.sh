#!/usr/bin/env bash
# README's first command on a fresh Debian that has Rust and nothing else: a root of debootstrap's with this machine's
# Rust and crates. Needs root, debootstrap and a mirror; elsewhere it says that nothing was tried.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH=$PATH:/usr/sbin

if [ "$(id -u)" != 0 ] || ! type -P debootstrap unshare >/dev/null; then
    echo "bare-debian: not tried, as it needs root and debootstrap"
    exit 0
fi
rustup=${RUSTUP_HOME:-$HOME/.rustup} cargo=${CARGO_HOME:-$HOME/.cargo}
root=$(mktemp -d)
trap 'rm -rf --one-file-system "$root"' EXIT
if ! debootstrap --variant=minbase bookworm "$root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$root.log" 2>&1; then
    tail -n 5 "$root.log"
    echo "bare-debian: not tried, as debootstrap got no Debian"
    exit 0
fi
rm "$root.log"
mkdir -p "$root$rustup" "$root$cargo" "$root/coffer"
git ls-files -z --cached --others --exclude-standard | xargs -0 tar -cf - | tar -xf - -C "$root/coffer"
cp /etc/resolv.conf "$root/etc/resolv.conf"

# The mounts end with this shell. The build is made to be quick: what it shows is that it can be made at all.
unshare --mount --propagation private bash -euo pipefail -s <<END
mount --bind "$rustup" "$root$rustup"
mount --bind "$cargo" "$root$cargo"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
exec chroot "$root" env -i HOME="$HOME" PATH="$cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    RUSTUP_HOME="$rustup" CARGO_HOME="$cargo" CARGO_TARGET_DIR=/target \
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=256 \
    bash -euc '! type -P cc; cd /coffer; bin/run --version | grep "^coffer "'
END
