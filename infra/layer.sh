#!/bin/sh
# Fills a layer:  infra/layer.sh FOLDER core|pages  (`sam build` calls it through `make build-CoreLayer` and `make build-PageLayer`)
# core:  FOLDER/python: what requirements/layer.txt locks, for the Lambda's processor and Python, and the tocsin package,
#        with a copy of what boto3 knows of its services;
#        FOLDER/rules: the rules, with the compiled set beside them.
# pages: FOLDER/python: what requirements/pages.txt locks, and nothing else.
# ARCHITECTURE is arm64 (the default) or x86_64, as the template's parameter.
# boto3 is among them although the runtime brings one: what runs is then what was tested, until somebody changes the lock.
set -eu

folder=$1
layer=$2
runtime=3.13
uv=${UV-uv}
case ${ARCHITECTURE:-arm64} in
  arm64) processor=aarch64 ;;
  x86_64) processor=x86_64 ;;
  *) printf '%s\n' "layer: ARCHITECTURE is arm64 or x86_64, not '$ARCHITECTURE'" >&2; exit 1 ;;
esac
case $layer in
  core) lock=requirements/layer.txt ;;
  pages) lock=requirements/pages.txt ;;
  *) printf '%s\n' "layer: a layer is core or pages, not '$layer'" >&2; exit 1 ;;
esac

say() { printf '%s\n' "layer: $*" >&2; }

install() {
  if command -v "$uv" >/dev/null 2>&1; then
    "$uv" pip install --quiet --no-python-downloads --python-platform "$processor-manylinux_2_28" --python-version "$runtime" "$@"
    return
  fi
  for python in .venv/bin/python .venv-sam/bin/python "${PYTHON:-python3}"; do
    "$python" -m pip --version >/dev/null 2>&1 || continue
    "$python" -m pip install --quiet --quiet --no-input --disable-pip-version-check --no-compile \
      --platform "manylinux2014_$processor" --platform "manylinux_2_28_$processor" \
      --implementation cp --python-version "$runtime" "$@"
    return
  done
  say "neither uv nor a Python with pip is here; \`make setup\` brings one"
  exit 1
}

# Without bytecode a cold start takes twice as long, and the runtime reads only that of its own version.
compile() {
  if ! python=$(infra/runtime.sh); then
    say "no Python $runtime here, so the layer goes without bytecode: it works, and functions start more slowly"
    return
  fi
  say "bytecode by $python ..."
  "$python" -m compileall -q -j 0 -s "$folder" -p /opt --invalidation-mode unchecked-hash "$folder/python"
}

# Without it every cold start reads and compiles YAML, a second's work. Any Python will do that has what rules are read with.
compile_rules() {
  for python in "${PYTHON:-}" .venv/bin/python .venv-sam/bin/python python3; do
    if "$python" -c 'import pydantic, yaml' 2>/dev/null; then
      PYTHONPATH=. "$python" -m tocsin.adapters.rulebook "$folder/rules"
      return
    fi
  done
  say "no Python with pydantic and PyYAML here, so the layer goes without compiled rules: it works, and functions start more slowly"
}

# What boto3 knows of the few services functions ask, without documentation: an eighth of a start. Any Python will do that can run the layer's boto3.
copy_models() {
  for python in "${PYTHON:-}" .venv/bin/python .venv-sam/bin/python python3; do
    if PYTHONPATH="$folder/python" "$python" -m tocsin.adapters.services "$folder/python/tocsin/adapters/services" 2>/dev/null; then return; fi
  done
  say "no Python with which the layer's boto3 runs is here, so its models stay as they are: it works, and functions start more slowly"
}

say "packages for Python $runtime on $processor ..."
mkdir -p "$folder/python"
install --require-hashes --no-deps --only-binary=:all: --target "$folder/python" -r "$lock"
if [ "$layer" = core ]; then
  cp -R tocsin "$folder/python/"
  rm -rf "$folder/python/tocsin/cli"
  cp -R rules "$folder/rules"
  copy_models
  compile_rules
fi
rm -rf "$folder/python/bin"
find "$folder/python" -name __pycache__ -prune -exec rm -rf {} +
compile
say "$(du -sk "$folder" | cut -f1) kB in $folder"
