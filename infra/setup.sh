#!/bin/sh
# Makes a virtual environment that holds exactly what a lock names:  infra/setup.sh FOLDER LOCK [checkout]
# With `checkout` the project itself is installed in place. What is already as it should be is left alone.
# uv does it, in a fifth of pip's time: the one that is here, else its own in .venv-uv, from PyPI. UV= uses pip. PYTHON= names the interpreter.
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

can_make() {
  "$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python (Python $(version_of "$python")) cannot make virtual environments.
  On Debian and Ubuntu that is a package of its own: apt-get install python3-venv
  (for an interpreter that is not the system's own: python$(version_of "$python" | cut -d. -f1,2)-venv). Or install uv."
}

# The pip that every Python brings to be installed from, run as it lies there: it installs uv without being installed itself.
bundled_pip() {
  "$python" -c 'import ensurepip, pathlib, sysconfig
places = [pathlib.Path(ensurepip.__file__).with_name("_bundled"), pathlib.Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or "/nowhere")]
print(next(wheel for place in places for wheel in place.glob("pip-*.whl")))' 2>/dev/null
}

# Leaves uv empty where there is none for this machine: pip can do it, too.
fetch_uv() {
  uv=$tools/bin/uv
  if "$uv" --version >/dev/null 2>&1 && cmp -s requirements/uv.txt "$tools/.locked"; then return; fi
  can_make
  rm -rf -- "$tools"
  if pip=$(bundled_pip) && "$python" -m venv --without-pip "$tools" &&
    "$tools/bin/python" "$pip/pip" install --quiet --quiet --no-input --disable-pip-version-check --no-compile \
      --require-hashes --only-binary=:all: -r requirements/uv.txt && "$uv" --version >/dev/null; then
    cp requirements/uv.txt "$tools/.locked"
  else
    say "setup: uv cannot be had here; pip does the work, and takes longer"
    rm -rf -- "$tools"
    uv=
  fi
}

create() {
  rm -rf -- "$venv"
  if [ -n "$uv" ]; then
    "$uv" venv --quiet --no-python-downloads --python "$(command -v "$python")" "$venv"
    return
  fi
  can_make
  "$python" -m venv "$venv"
}

install() {
  if [ -n "$uv" ]; then
    "$uv" pip install --quiet --python "$venv/bin/python" "$@"
  else
    "$venv/bin/python" -m pip install --quiet --quiet --no-input --disable-pip-version-check --no-compile "$@"
  fi || fail "could not install into $venv; the lines above say what failed. Is PyPI reachable? The same command tries again${uv:+; UV= before it uses pip instead of uv}."
}

tools=.venv-uv
uv=${UV-uv}
command -v "$uv" >/dev/null 2>&1 || uv=
wants_uv() { [ -z "$uv" ] && [ -z "${UV+set}" ]; }

if ! is_locked; then
  find_python
  began=$(date +%s)
  if wants_uv; then
    say "setup: fetching uv, which installs the rest ..."
    fetch_uv
  fi
  say "setup: $venv gets $(grep -c '^[a-z0-9].*==' "$lock") packages for Python $(version_of "$python"), with ${uv:-pip} ..."
  create
  install --require-hashes --no-deps --only-binary=:all: -r "$lock" # a lock names everything: nothing is left to resolve
  locked >"$venv/.locked"
  say "setup: $venv is ready after $(($(date +%s) - began)) s"
fi
if [ -n "$project" ] && ! is_installed; then
  if wants_uv && "$tools/bin/uv" --version >/dev/null 2>&1; then uv=$tools/bin/uv; fi
  install --no-deps --no-build-isolation -e .
  installed >"$venv/.installed"
fi
