#!/usr/bin/env bash
# Run the tests from a bare checkout, beside a running stack and without touching it.
#
# Usage: ./run-tests.sh [--all|--native|--compose] [PYTEST ARGUMENT...]   for instance -k late
#   by default  every rule once, where that is cheapest: checks, unit tests, a native stack
#   --all       everything: also the tests marked thorough, a secure stack, full disks, containers
#   --native    everything but containers
#   --compose   everything in containers, also what --all runs natively only
# docs/testing.md says what each suite covers. Each has a stack of its own: own ports, own state
# folder (.stack-test), own container engine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' run-tests.sh
  exit 0
fi
scope=default
case ${1:-} in
  --all | --native | --compose)
    scope=${1#--}
    shift
    ;;
esac
chosen=("$@")
# shellcheck source=tests/suites/common.sh
source tests/suites/common.sh
alone

python=$(find_python) ||
  fail "Python 3.11 or newer" "$(python3 --version 2>&1 || echo none)" "install python3 and python3-venv"
# shellcheck source=setup/python.sh
source setup/python.sh dev
# Setups of two suites at once would both install these.
source setup/python.sh runtime
rm -rf "$results"
mkdir -p "$results"

# begin NAME COMMAND...: in the background, in a process group of its own that can be ended whole.
declare -A begun=()
begin() {
  local name=$1
  shift
  set -m
  "$@" </dev/null &>"$results/$name.txt" &
  set +m
  begun[$name]=$!
}

# await NAME: its end; with its exit code.
await() {
  local code=0
  wait "${begun[$1]}" || code=$?
  unset "begun[$1]"
  return "$code"
}

# suite NAME PYTEST ARGUMENT...: run one of tests/suites. It could not be ended in the foreground,
# where a trap waits for it.
suite() {
  local name=$1
  shift
  set -m
  "tests/suites/$name.sh" "$@" </dev/null &
  set +m
  begun[$name]=$!
  attempt "$name" await "$name"
}

# end_begun: let all that still runs end what it started.
end_begun() {
  local group
  trap '' INT TERM
  for group in "${begun[@]}"; do
    kill -INT -- "-$group" 2>/dev/null || continue
  done
  wait
}
trap end_begun EXIT
trap 'exit 130' INT TERM

step "Checks, and beside them the unit tests"
begin checks tests/checks.sh
run_tests unit tests/unit "$@"
attempt checks await checks
cat "$results/checks.txt"
end_step

# containers_and_disks PYTEST ARGUMENT...: what runs beside the native and the secure suite. Each of
# them leaves half of two processors idle; their time limits are for busy machines.
containers_and_disks() {
  trap 'exit 130' INT TERM
  # What containers cannot change is tested natively; that the marts are the same is compared.
  attempt compose tests/suites/compose.sh -m "not same_in_both_modes" "$@"
  attempt disks tests/suites/disks.sh "$@"
}

case $scope in
  default) suite native --demo -m "not thorough" "$@" ;;
  native)
    suite native "$@"
    suite secure "$@"
    suite disks "$@"
    ;;
  compose) suite compose "$@" ;;
  all)
    begin "containers and disks" containers_and_disks "$@"
    suite native "$@"
    suite secure "$@"
    attempt "containers and disks" await "containers and disks"
    cat "$results/containers and disks.txt"
    ;;
esac
if [[ -f $results/marts-native.json && -f $results/marts-compose.json ]]; then
  attempt "the same marts in both modes" diff "$results"/marts-{native,compose}.json
fi
trap - EXIT

"$venv_python" -m tests.report "$results"
