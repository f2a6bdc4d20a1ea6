#!/bin/sh
# Prints a Python of the functions' version, 3.13:  infra/runtime.sh  (exit 1, and nothing printed, where there is none)
# PYTHON= names one that is not on the PATH.
set -eu

uv=${UV-uv}
is_runtime() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; }

for python in "${PYTHON:-}" .venv/bin/python python3.13 python3 "$("$uv" python find --no-python-downloads 3.13 2>/dev/null)" "$HOME"/.pyenv/versions/3.13.*/bin/python; do
  if is_runtime "$python"; then printf '%s\n' "$python"; exit 0; fi
done
exit 1
