#!/bin/sh
# Builds the virtual environment named in $1 from the pinned, hashed requirements, with nothing but Python and pip.
# Python 3.12 and 3.11 come first because a ready-made redis-server exists for them; $PYTHON overrides the search.
set -eu
cd "$(dirname "$0")/.."
venv="$1"

suits() {
  "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
  for candidate in ${PYTHON:-python3.12 python3.11 python3 python3.13 python3.14 python}; do
    if suits "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  echo "Python 3.11 or newer with its venv module is needed, and ${PYTHON:-none on PATH} is that." \
    "Install one (on Debian: python3 and python3-venv), or name it: make PYTHON=/path/to/python3" >&2
  return 1
}

if ! suits "$venv/bin/python"; then
  python="$(find_python)"
  echo "Building $venv with $("$python" --version)"
  "$python" -m venv --clear "$venv"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
"$venv/bin/python" -m pip check --disable-pip-version-check
