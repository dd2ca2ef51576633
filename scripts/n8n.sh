#!/bin/sh
# A real N8n for `make test-n8n`: about 2.1 GB in instance/n8n, which git ignores. What is already
# there is recognised and skipped.
set -eu
cd "$(dirname "$0")/.."

# npm picks a far older N8n when the running Node does not fit, so both are named.
N8N=2.41.1
NODE=24.9.0
# Newer ones need a package that is not in the registry.
LINKEDOM=0.18.12
# N8n's file nodes want it beside them, which --legacy-peer-deps leaves out.
DATE_FNS=2.30.0

FOLDER=$(pwd)/instance/n8n
WANTED="n8n $N8N, node $NODE, linkedom $LINKEDOM, date-fns $DATE_FNS"
[ "$(cat "$FOLDER/.installed" 2>/dev/null)" = "$WANTED" ] && exit 0

LOG=$(mktemp)
quietly() {
    "$@" >"$LOG" 2>&1 || { cat "$LOG" >&2; echo "N8n could not be installed; npm's words stand above." >&2; exit 1; }
}

# Without a Node of its own the machine has the one the bootstrap brought.
[ -x .venv/bin/node ] && PATH="$(pwd)/.venv/bin:$PATH"

echo "Installing N8n $N8N with Node $NODE (2.1 GB, a few minutes)."
started=$(date +%s)
rm -rf "$FOLDER"
mkdir -p "$FOLDER/node" "$FOLDER/app"

cd "$FOLDER/node"
printf '{"private":true,"dependencies":{"node":"%s"}}\n' "$NODE" >package.json
quietly npm install --no-audit --no-fund
PATH="$FOLDER/node/node_modules/node/bin:$PATH"
export PATH
[ "$(node --version)" = "v$NODE" ] || { echo "Node $NODE did not arrive." >&2; exit 1; }

cd "$FOLDER/app"
printf '{"private":true,"dependencies":{"n8n":"%s","date-fns":"%s"},"overrides":{"linkedom":"%s"}}\n' \
    "$N8N" "$DATE_FNS" "$LINKEDOM" >package.json
quietly npm install --legacy-peer-deps --ignore-scripts --omit=optional --no-audit --no-fund
# The only add-on that has to be compiled; its install script was left out above with all others.
quietly npm rebuild sqlite3 --foreground-scripts
rm -f "$LOG"

seconds=$(($(date +%s) - started))
echo "$seconds" >"$FOLDER/.seconds"
echo "$WANTED" >"$FOLDER/.installed"
echo "N8n is installed after $seconds seconds."
