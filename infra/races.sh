#!/bin/sh
# Races on ministack:  infra/races.sh ARGUMENTS  (`make races` calls it)
# ministack needs Python 3.13: where there is none the races are skipped, and it says so.
set -eu

uv=${UV-uv}
is_313() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; }
find_313() {
  for python in "${PYTHON:-}" python3.13 python3 "$("$uv" python find --no-python-downloads 3.13 2>/dev/null)" "$HOME"/.pyenv/versions/3.13.*/bin/python; do
    if is_313 "$python"; then printf '%s' "$python"; return; fi
  done
}

python=$(find_313)
if [ -z "$python" ]; then
  printf '%s\n' "races: skipped, because ministack needs Python 3.13 and none was found; name one: make races PYTHON=/path/to/python3.13" >&2
  exit 0
fi
PYTHON=$python infra/setup.sh .venv-ministack requirements/ministack.txt
exec .venv/bin/python -m tests.simulation.races .venv-ministack "$@"
