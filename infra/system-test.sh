#!/bin/sh
# The system test:  infra/system-test.sh ARGUMENTS  (`make system-test` calls it)
# ministack and the functions need Python 3.13, on Linux: where there is none the test is skipped, and it says so.
set -eu

skip() { printf '%s\n' "system-test: skipped, because $*" >&2; exit 0; }

python=$(infra/runtime.sh) || skip "ministack and the functions need Python 3.13 and none was found; name one: make system-test PYTHON=/path/to/python3.13"
[ "$(uname -s)" = Linux ] || skip "what is built runs on Linux only"
case $(uname -m) in
  arm64 | aarch64) ARCHITECTURE=arm64 ;;
  *) ARCHITECTURE=x86_64 ;;
esac
export ARCHITECTURE
PYTHON=$python infra/setup.sh .venv-ministack requirements/ministack.txt
.venv-sam/bin/sam build --build-dir .aws-sam/here --no-cached --parameter-overrides Architecture="$ARCHITECTURE" >/dev/null
exec .venv/bin/python -m tests.engine .venv-ministack .aws-sam/here "$@"
