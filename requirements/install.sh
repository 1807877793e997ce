#!/bin/sh
# Builds a virtual environment from hashed requirements: install.sh FOLDER REQUIREMENTS
# Needs python3 and pip only. uv is used for speed; where it does not run, pip does the same with the same hashes.
set -eu
python="${PYTHON:-python3}"
folder="$1"
requirements="$2"
here=$(dirname "$0")

"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || {
    echo "Mailbox needs Python 3.11 to 3.14, and $python is $("$python" --version 2>&1). Name another with PYTHON=..." >&2
    exit 2
}
if ! "$python" -m venv --clear "$folder" 2>/dev/null; then
    # Debian without python3-venv: virtualenv brings its own pip.
    "$python" -m pip install --quiet --target "$folder.bootstrap" virtualenv
    PYTHONPATH="$folder.bootstrap" "$python" -m virtualenv --quiet --clear "$folder"
    rm -rf "$folder.bootstrap"
fi
if "$folder/bin/python" -m pip install --quiet --require-hashes -r "$here/uv.txt" \
    && "$folder/bin/uv" pip sync --quiet --python "$folder/bin/python" --require-hashes "$requirements"; then
    exit 0
fi
echo "uv did not run here: installing with pip." >&2
"$folder/bin/python" -m pip install --quiet --require-hashes -r "$requirements"
