#!/bin/sh
# Makes the virtual environment $1 and installs the product with its development tools.
set -eu
venv=$1
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "banshi needs Python 3.11 or newer; set PYTHON to one." >&2
    exit 1
}
if ! "$python" -m venv "$venv" 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing python3-venv with apt-get, which the virtual environment needs."
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv
        "$python" -m venv "$venv"
    else
        echo "The virtual environment cannot be made: install python3-venv (apt-get install python3-venv)." >&2
        exit 1
    fi
fi
echo "Installing the Python packages into $venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
