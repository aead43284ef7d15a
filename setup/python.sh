#!/usr/bin/env bash
# Make the virtual environment and install the locked packages, hashes checked.
# Usage: source setup/python.sh LOCK (runtime or dev)

step "Python packages"
lock_file=requirements/$1.txt
marker=.venv/$1.installed

if ! "$venv_python" -c '' 2>/dev/null; then
  rm -rf .venv
  download "$python" -m venv .venv ||
    fail "a virtual environment in .venv" "an error of $python -m venv, above" \
      "install the python3-venv package and run setup again"
fi
if cmp -s "$lock_file" "$marker"; then
  echo "  as locked already"
else
  echo "  installing $(grep -c '==' "$lock_file") locked packages"
  "$venv_python" -m uv --version >/dev/null 2>&1 ||
    download "$venv_python" -m pip install --quiet --disable-pip-version-check --require-hashes \
      -r requirements/uv.txt ||
    fail "the packages of requirements/uv.txt" "an error of pip, above" \
      "check that the Python package index can be reached and run setup again"
  download "$venv_python" -m uv pip install --quiet --python "$venv_python" --require-hashes \
    -r "$lock_file" ||
    fail "the packages of $lock_file" "an error of uv, above" \
      "check that the Python package index can be reached and run setup again"
  cp "$lock_file" "$marker"
fi
