#!/usr/bin/env bash
# Run every check and test from a bare checkout, beside a running stack and without touching it.
#
# Usage: ./run-tests.sh [--native|--compose] [PYTEST ARGUMENT...]   for instance -k late
# The integration tests run on native services and on containers, each time on a stack of their own:
# own ports, own state folder (.stack-test), own container engine. In containers those run whose
# result they may change; --compose runs all of them there and none natively, --native the reverse.
# Where no engine can be had, that is said and the rest still runs. After the native ones the demo
# runs on a stack with TLS and passwords, and disks run full on another.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' run-tests.sh
  exit 0
fi
modes=(native compose)
if [[ ${1:-} == --native || ${1:-} == --compose ]]; then
  modes=("${1#--}")
  shift
fi
venv_python=$PWD/.venv/bin/python
results=$PWD/.stack-test/results
# MinIO's image need not compile what native setup has compiled, for this checkout or another.
export GOCACHE=${XDG_CACHE_HOME:-$HOME/.cache}/meterhouse/go-build
# shellcheck source=setup/lib.sh
source setup/lib.sh
# shellcheck source=tests/steps.sh
source tests/steps.sh

python=$(find_python) ||
  fail "Python 3.11 or newer" "$(python3 --version 2>&1 || echo none)" "install python3 and python3-venv"

# Two runs at once would end each other's stack.
mkdir -p .stack-test
exec {run_lock}>.stack-test/.lock
flock --nonblock "$run_lock" ||
  fail "to run alone in this checkout" "another run of the tests" "wait for its end"

# shellcheck source=setup/python.sh
source setup/python.sh dev
rm -rf "$results"
mkdir -p "$results"
step "Checks, and beside them the unit tests"
tests/checks.sh >"$results/checks.txt" &
attempt unit "$venv_python" -m pytest tests/unit -q --junitxml "$results/unit.xml" "$@"
attempt checks wait $!
cat "$results/checks.txt"

trap 'end_images; end_stack' EXIT
for mode in "${modes[@]}"; do
  if [[ $mode == compose ]] && ! start_engine; then
    continue
  fi
  integration_tests "$mode" "$@"
  if [[ $mode == native ]]; then
    secure_tests "$@"
    disk_tests "$@"
  fi
done
trap - EXIT
end_step
if [[ -f $results/marts-native.json && -f $results/marts-compose.json ]]; then
  attempt "the same marts in both modes" diff "$results"/marts-{native,compose}.json
fi

"$venv_python" -m tests.count_results "$results"/*.xml "${failed[@]/#/--failed=}"
