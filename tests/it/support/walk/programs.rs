//! What runs on a machine of the walk in place of the programs that need root, a terminal or systemd.

/// Runs the command as the only user that there is.
pub const SUDO: &str = r#"#!/bin/sh
[ "$1" != -u ] || shift 2
exec "$@"
"#;

/// There is no one else to whom files could belong.
pub const INSTALL: &str = r#"#!/bin/bash
arguments=()
while [ $# -gt 0 ]; do
    case $1 in -o | -g) shift ;; *) arguments+=("$1") ;; esac
    shift
done
exec /usr/bin/install "${arguments[@]}"
"#;

/// Starts what the unit would start, with its settings; waits until it is ready or gone, as `Type=notify` would.
pub const SYSTEMCTL: &str = r#"#!/bin/bash
set -e
case $1 in
daemon-reload) ;;
start | enable)
    cd ROOT/var/lib/coffer
    coffer --env-file ROOT/etc/coffer/coffer.env serve >>ROOT/coffer.log 2>&1 &
    echo $! >ROOT/coffer.pid
    for _ in {1..300}; do
        if coffer --env-file ROOT/etc/coffer/coffer.env healthcheck 2>/dev/null; then exit; fi
        sleep 0.1
    done
    cat ROOT/coffer.log
    exit 1
    ;;
stop | disable)
    kill "$(cat ROOT/coffer.pid)" 2>/dev/null || exit 0
    while kill -0 "$(cat ROOT/coffer.pid)" 2>/dev/null; do sleep 0.1; done
    ;;
restart)
    "$0" stop
    "$0" start
    ;;
esac
"#;

/// Types the password at the prompt, as there is no terminal.
pub const CREATEUSER: &str = r#"#!/bin/sh
printf 'password\npassword\n' | setsid --wait /usr/bin/createuser "$@"
"#;
