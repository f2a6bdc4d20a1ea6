#!/bin/sh
# Makes a virtual environment that holds exactly what a lock names:  infra/setup.sh FOLDER LOCK [checkout]
# With `checkout` the project itself is installed in place. What is already as it should be is left alone.
# uv does it where there is one (UV= turns that off); pip alone is enough. PYTHON= names the interpreter.
set -eu

venv=$1
lock=$2
project=${3:-}
python=

say() { printf '%s\n' "$*" >&2; }
fail() { say "setup: $*"; exit 1; }

version_of() { "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null; }
is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3 python3.14 python3.13 python3.12 python3.11; fi
  found=
  for name; do
    if is_new_enough "$name"; then python=$name; return; fi
    version=$(version_of "$name") || version=
    if [ -n "$version" ]; then
      found="$found
  found $name, which is Python $version ($(command -v "$name"))"
    fi
  done
  fail "Python 3.11 or newer is needed.${found:-
  found none under the name(s) $*}
  Install one (on Debian and Ubuntu: apt-get install python3 python3-venv), or name one you have:
  make PYTHON=/path/to/python3.13 ..."
}

# An environment serves only where it was made, with the interpreter it was made with.
locked() { pwd; cat "$lock"; }
installed() { cat pyproject.toml infra/setup.sh; }

is_locked() {
  locked | cmp -s - "$venv/.locked" && now=$(version_of "$venv/bin/python") || return 1
  [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$now" ]
}
is_installed() { installed | cmp -s - "$venv/.installed"; }

create() {
  rm -rf -- "$venv"
  if [ -n "$uv" ]; then
    "$uv" venv --quiet --no-python-downloads --python "$(command -v "$python")" "$venv"
    return
  fi
  "$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python (Python $(version_of "$python")) cannot make virtual environments.
  On Debian and Ubuntu that is a package of its own: apt-get install python3-venv
  (for an interpreter that is not the system's own: python$(version_of "$python" | cut -d. -f1,2)-venv). Or install uv."
  "$python" -m venv "$venv"
}

install() {
  if [ -n "$uv" ]; then
    "$uv" pip install --quiet --python "$venv/bin/python" "$@"
  else
    "$venv/bin/python" -m pip install --quiet --quiet --no-input --disable-pip-version-check "$@"
  fi || fail "could not install into $venv; the lines above say what failed. Is PyPI reachable? The same command tries again${uv:+; UV= before it uses pip instead of uv}."
}

uv=${UV-uv}
command -v "$uv" >/dev/null 2>&1 || uv=

if ! is_locked; then
  find_python
  began=$(date +%s)
  say "setup: $venv gets $(grep -c '^[a-z0-9].*==' "$lock") packages for Python $(version_of "$python"), with ${uv:-pip}; up to a minute the first time ..."
  create
  install --require-hashes --no-deps --only-binary=:all: -r "$lock" # a lock names everything: nothing is left to resolve
  locked >"$venv/.locked"
  say "setup: $venv is ready after $(($(date +%s) - began)) s"
fi
if [ -n "$project" ] && ! is_installed; then
  install --no-deps --no-build-isolation -e .
  installed >"$venv/.installed"
fi
