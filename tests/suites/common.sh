#!/usr/bin/env bash
# What run-tests.sh and the suites share. Sourced by them in the checkout's folder.

venv_python=$PWD/.venv/bin/python
results=$PWD/.stack-test/results
# shellcheck source=setup/lib.sh
source setup/lib.sh

# alone: refuse to run beside another run in this checkout: each would end the other's stack. Suites
# of one run are not others.
alone() {
  mkdir -p "$results"
  exec {networks}>>.stack-test/.networks
  if [[ -z ${METERHOUSE_TESTS_ALONE:-} ]]; then
    exec {run_lock}>.stack-test/.lock
    flock --nonblock "$run_lock" ||
      fail "to run alone in this checkout" "another run of the tests" "wait for its end"
    export METERHOUSE_TESTS_ALONE=yes
  fi
}

# Containers that come and go change the machine's networks, which Chromium takes ill. Who changes
# them, and who looks at pages, say so, and wait for each other.
change_networks() {
  flock --exclusive "$networks"
}
keep_networks() {
  flock --shared "$networks"
}

# end_step: as the setup does, and keep the seconds for the end of the run.
end_step() {
  if [[ -n ${step_title:-} ]]; then
    printf '  (%s s)\n' "$((SECONDS - step_started))"
    printf '%s\t%s\n' "$((SECONDS - step_started))" "$step_title" >>"$results/steps.tsv"
  fi
  step_title=
}

# attempt NAME COMMAND...: the first failure counts and does not hide the others.
attempt() {
  local name=$1
  shift
  "$@" || failed "$name"
}

failed() {
  printf '%s\n' "$1" >>"$results/failed"
}

# run_tests NAME PYTEST ARGUMENT...: the results in NAME.xml. Where the suite was called with
# arguments, which choose among the tests, they need not choose any of these; a run without any
# argument, such as that of the seeded week, has to.
run_tests() {
  local name=$1 code=0 none_chosen=5
  shift
  "$venv_python" -m pytest -q --junitxml "$results/$name.xml" "$@" || code=$?
  if ((code != 0 && (code != none_chosen || ${#chosen[@]} == 0 || $# == 1))); then
    failed "$name"
  fi
}

# take_stack NAME: from now on every command means the stack of this name below .stack-test.
take_stack() {
  stack_name=$1
  export METERHOUSE_ENV=$PWD/.stack-test/$stack_name/.env
}

# fresh_settings: those of a stack that has nothing in it, after the end of an earlier one.
fresh_settings() {
  setup_if_there reset --yes
  rm -rf ".stack-test/$stack_name"
  # One after the other, so that the second sees which ports the first took.
  flock .stack-test/.ports "$venv_python" -m tests.second_stack "$stack_name"
}

# setup_if_there WORD...: initial-setup.sh for this stack, if it was made.
setup_if_there() {
  if [[ -f $METERHOUSE_ENV ]]; then
    attempt "initial-setup.sh $*" ./initial-setup.sh "$@"
  fi
}

# at_the_end COMMAND: whatever happens; an interruption ends the suite and does not end this.
at_the_end() {
  # shellcheck disable=SC2064  # the command is known now
  trap "trap '' INT TERM; end_step; $1" EXIT
  trap 'exit 130' INT TERM
}

# browser_tests MODE SUITE...: on what the integration tests left; nothing may be sent meanwhile.
browser_tests() {
  local mode=$1 code=0
  shift
  step "Until no container comes or goes"
  keep_networks
  step "Browser tests, $mode"
  tests/browser/chromium.sh || code=$?
  if ((code != 0)); then
    failed "browser, $mode"
    return
  fi
  run_tests "browser-$mode" "$@"
  flock --unlock "$networks"
}
