#!/bin/sh
# Chromium without windows, for chromedriver, which finds no page there unless one is open from the start.
exec /usr/lib/chromium/chromium-headless-shell "$@" about:blank
