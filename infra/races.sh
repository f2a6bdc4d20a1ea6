#!/bin/sh
# Races on ministack:  infra/races.sh ARGUMENTS  (`make races` calls it)
# ministack needs Python 3.13: where there is none the races are skipped, and it says so.
set -eu

python=$(infra/runtime.sh) || {
  printf '%s\n' "races: skipped, because ministack needs Python 3.13 and none was found; name one: make races PYTHON=/path/to/python3.13" >&2
  exit 0
}
PYTHON=$python infra/setup.sh .venv-ministack requirements/ministack.txt
exec .venv/bin/python -m tests.simulation.races .venv-ministack "$@"
