#!/bin/sh
# Pin what requirements*.in and package.json ask for. Nothing of this machine's own set-up
# (package mirrors, local folders) gets into the lock files.
set -eu
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
.venv/bin/python -m venv "$tools"
"$tools/bin/pip" install --quiet pip-tools
for name in requirements requirements-dev; do
    "$tools/bin/pip-compile" --quiet --strip-extras --no-header \
        --no-emit-find-links --no-emit-index-url --no-emit-trusted-host \
        "$name.in" -o "$name.txt"
done
npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
