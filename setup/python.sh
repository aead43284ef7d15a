#!/usr/bin/env bash
# Make the virtual environment and install the locked packages, hashes checked.
# Usage: source setup/python.sh LOCK (runtime or dev)

step "Python packages"
lock_file=requirements/$1.txt
marker=.venv/$1.installed

if ! "$venv_python" -c '' 2>/dev/null; then
  rm -rf .venv
  "$python" -m venv .venv ||
    fail "a virtual environment" "an error of venv, above" "install the python3-venv package"
fi
if cmp -s "$lock_file" "$marker"; then
  echo "  as locked already"
else
  echo "  installing $(grep -c '==' "$lock_file") locked packages"
  "$venv_python" -m uv --version >/dev/null 2>&1 ||
    "$venv_python" -m pip install --quiet --disable-pip-version-check --require-hashes \
      -r requirements/uv.txt
  "$venv_python" -m uv pip install --quiet --python "$venv_python" --require-hashes -r "$lock_file" ||
    fail "the packages of $lock_file" "an error of the installer, above" \
      "check that the Python package index can be reached and run setup again"
  cp "$lock_file" "$marker"
fi
