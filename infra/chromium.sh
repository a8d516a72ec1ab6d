#!/bin/sh
# Sees to a Chromium for the browser tests: takes one that is there, installs Debian's where it may, and otherwise
# says that the browser tests will be skipped. Prints the path of the browser, or nothing. Never fails.
set -u

say() { printf '%s\n' "$*" >&2; }

runs() { command -v "$1" >/dev/null 2>&1 && "$1" --version >/dev/null 2>&1; }

found() {
    for candidate in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
        "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
        if [ -n "$candidate" ] && runs "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

found && exit 0

if [ "$(id -u)" != 0 ]; then
    why="none is here, and installing one takes root (Debian: apt-get install chromium)"
elif ! command -v apt-get >/dev/null 2>&1; then
    why="none is here, and this system has no apt-get to install one with"
else
    say "installing Chromium for the browser tests ..."
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium; } >/dev/null 2>&1
    found && exit 0
    why="none is here, and apt-get could not install one"
fi
say "Without Chromium the browser tests are SKIPPED: $why."
say "Any other Chromium or Chrome will do: name it in CHROMIUM."
