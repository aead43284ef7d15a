#!/usr/bin/env bash
# Run every check and test from a bare checkout, beside a running stack and without touching it.
#
# Usage: ./run-tests.sh [PYTEST ARGUMENT...]   for instance ./run-tests.sh -k late
# The integration tests get a stack of their own: own ports, own state folder (.stack-test).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' run-tests.sh
  exit 0
fi
venv_python=$PWD/.venv/bin/python
results=$PWD/.stack-test/results
# shellcheck source=setup/lib.sh
source setup/lib.sh

python=$(find_python) ||
  fail "Python 3.11 or newer" "$(python3 --version 2>&1 || echo none)" "install python3 and python3-venv"

# Two runs at once would end each other's stack.
mkdir -p .stack-test
exec {run_lock}>.stack-test/.lock
flock --nonblock "$run_lock" ||
  fail "to run alone in this checkout" "another run of the tests" "wait for its end"

# The checks and the two test runs all count; the first failure does not hide the others.
failed=()
attempt() {
  local name=$1
  shift
  "$@" || failed+=("$name")
}

start_test_stack() {
  "$venv_python" -m tests.second_stack >/dev/null
  ./initial-setup.sh --native
}

stop_test_stack() {
  if [[ -f $METERHOUSE_ENV ]]; then
    end_step
    echo "Stopping the test stack"
    stack stop
  fi
}

# shellcheck source=setup/python.sh
source setup/python.sh dev
step "Checks"
attempt checks tests/checks.sh
step "Unit tests"
mkdir -p "$results"
attempt unit "$venv_python" -m pytest tests/unit -q --junitxml "$results/unit.xml" "$@"

METERHOUSE_ENV=$PWD/.stack-test/.env
export METERHOUSE_ENV
stop_test_stack
rm -rf .stack-test/.env .stack-test/state
trap stop_test_stack EXIT
step "A stack for the integration tests"
start_test_stack
step "Integration tests"
attempt integration "$venv_python" -m pytest tests/integration -q \
  --junitxml "$results/integration.xml" "$@"
end_step

trap - EXIT
stop_test_stack
"$venv_python" -m tests.count_results "$results"/*.xml "${failed[@]/#/--failed=}"
