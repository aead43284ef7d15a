#!/usr/bin/env bash
# Lint and type checks of everything in the repository. Usage: tests/checks.sh
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export PATH=$PWD/.venv/bin:$PATH
status=0

check() {
  local output
  if output=$("$@" 2>&1); then
    printf '  ✓ %s\n' "$1 ${2:-}"
  else
    printf '  ✗ %s\n%s\n' "$*" "$output"
    status=1
  fi
}

mapfile -t shell_files < <(git ls-files '*.sh' 'bin/*' '.ci/run')
# Steps are checked where they are sourced.
mapfile -t shell_scripts < <(printf '%s\n' "${shell_files[@]}" | grep -Ev '^(setup/|tests/suites/common.sh)')

mapfile -t text_files < <(git ls-files -- ':!requirements/*' ':!tests/fuzz/seeds/*' ':!*.png' ':!*.parquet')
mapfile -t worded_files < <(printf '%s\n' "${text_files[@]}" | grep -Ev '^(docs/glossary.md|tests/words.txt|tests/unit/test_words.py)$')

check ruff check .
check ruff format --check .
check mypy
check lint-imports
# postgres-init/ is written for psql, whose own commands no SQL linter reads; setup runs it twice.
check sqlfluff lint dbt-project
check codespell "${text_files[@]}"
# The words of docs/glossary.md; tests/unit/test_words.py looks for those of several parts.
check codespell -D tests/words.txt "${worded_files[@]}"
check shellcheck -x "${shell_scripts[@]}"
check shfmt -i 2 -ci -d "${shell_files[@]}"
check yamllint --strict .
exit "$status"
