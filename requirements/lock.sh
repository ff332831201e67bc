#!/bin/sh
# Pins every requirement for all platforms and Python versions at once. The only step that needs uv: the one on PATH,
# or else one in a throw-away environment. Pins that still fit are kept; `UPGRADE=1` asks for the newest of everything.
set -eu
cd "$(dirname "$0")/.."
python="${1:-python3}"
uv="$(command -v uv || true)"
if [ -z "$uv" ]; then
  tools="$(mktemp -d)"
  trap 'rm -rf "$tools"' EXIT
  "$python" -m venv "$tools"
  "$tools/bin/pip" install --quiet uv
  uv="$tools/bin/uv"
fi
compile() {
  "$uv" pip compile "$@" \
    --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-header --quiet ${UPGRADE:+--upgrade}
}
service="pyproject.toml --extra service --group redis-server"
compile --group build --output-file requirements/build.txt
# shellcheck disable=SC2086
compile $service --output-file requirements/service.txt
# shellcheck disable=SC2086
compile $service --group dev --output-file requirements/dev.txt
"$python" requirements/seal.py seal
