#!/usr/bin/env bash
# Run the tests from a bare checkout, beside a running stack and without touching it.
#
# Usage: ./run-tests.sh [--all|--native|--compose] [PYTEST ARGUMENT...]   for instance -k late
#   by default  every rule once, where that is cheapest: checks, unit tests, native stacks
#   --all       everything: also the tests marked thorough, a secure stack, full disks, containers
#   --native    everything but containers
#   --compose   in containers, with the tests there whose result containers cannot change
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

# begin NAME COMMAND...: in the background, in a process group of its own that can be ended whole. A
# trap would wait for a command in the foreground.
declare -A begun=()
begin() {
  local name=$1
  shift
  # There before the command is, which may be slow to start: `follow` reads it at once.
  : >"$results/$name.txt"
  set -m
  "$@" </dev/null &>>"$results/$name.txt" &
  set +m
  begun[$name]=$!
}

# follow NAME: what it says until its end. Its failure counts.
follow() {
  tail --lines +1 --follow --pid "${begun[$1]}" "$results/$1.txt" &
  attempt "$1" wait "${begun[$1]}"
  unset "begun[$1]"
  wait $!
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

# in_turn SUITE...: some of tests/suites, one after the other, with the arguments of this run.
in_turn() {
  local suite
  trap 'exit 130' INT TERM
  for suite in "$@"; do
    attempt "$suite" "tests/suites/$suite.sh" "${chosen[@]}"
  done
}

# containers_and_faults: what runs beside the native and the secure suite. What containers cannot change
# is tested natively.
containers_and_faults() {
  chosen=(-m "not same_in_both_modes" "${chosen[@]}")
  in_turn compose
  chosen=("${chosen[@]:2}")
  in_turn faults disks
}

# Two rows of suites, beside each other: each leaves half of two processors idle.
case $scope in
  default)
    begin native tests/suites/native.sh -m "not thorough" "$@"
    begin others tests/suites/faults.sh --demo -m "not thorough" "$@"
    ;;
  native)
    begin native in_turn native
    begin others in_turn faults secure disks
    ;;
  compose) begin others in_turn compose ;;
  all)
    begin native in_turn native secure
    begin others containers_and_faults
    ;;
esac

# Beside the first minutes of the suites, which wait for services to start.
step "Checks, and beside them the unit tests"
begin unit run_tests unit tests/unit "$@"
begin checks tests/checks.sh
follow unit
follow checks
end_step

for name in native others; do
  [[ -z ${begun[$name]:-} ]] || follow "$name"
done
if [[ -f $results/marts-native.json && -f $results/marts-compose.json ]]; then
  attempt "the same marts in both modes" diff "$results"/marts-{native,compose}.json
fi
trap - EXIT

"$venv_python" -m tests.report "$results"
