#!/usr/bin/env bash
# The steps of run-tests.sh that start something and end it again. Sourced by run-tests.sh.

# The checks and all test runs count; the first failure does not hide the others.
failed=()
attempt() {
  local name=$1
  shift
  "$@" || failed+=("$name")
}

# begin_images: make the containers' images beside the native tests, with the time that these leave.
# What goes wrong here goes wrong again, and counts, where the images are needed.
images=
begin_images() {
  # A process group of its own, so that it can be ended whole.
  set -m
  (
    code=0
    renice -n 19 "$BASHPID" >/dev/null
    export METERHOUSE_ENV=$PWD/.stack-test/images/.env
    rm -rf .stack-test/images
    "$venv_python" -m tests.standins.engine start &&
      eval "$("$venv_python" -m tests.standins.engine env)" &&
      "$venv_python" -m tests.standins.images build &&
      "$venv_python" -m tests.second_stack images &&
      timeout 1800 docker compose --env-file "$METERHOUSE_ENV" build ||
      code=$?
    # The next one has the usual share of the processors, and its containers with it.
    "$venv_python" -m tests.standins.engine stop
    exit "$code"
  ) {run_lock}>&- &>"$results/images.txt" &
  images=$!
  set +m
}

# await_images: wait for them, and show what they said if they failed.
await_images() {
  if [[ -n $images ]]; then
    step "The containers' images, begun beside the native tests"
    wait "$images" || cat "$results/images.txt"
    images=
  fi
}

# end_images: give up making images.
end_images() {
  if [[ -n $images && $(jobs -pr) == *"$images"* ]]; then
    kill -- "-$images"
    attempt "engine stop" "$venv_python" -m tests.standins.engine stop
  fi
}

# start_engine: have a container engine, or say in one line why there is none and return 1.
start_engine() {
  local code=0
  await_images
  step "A container engine"
  "$venv_python" -m tests.standins.engine start || code=$?
  if ((code == 3)); then
    return 1
  fi
  # An engine that should start and does not is a failure, not a machine without one.
  if ((code != 0)) || ! eval "$("$venv_python" -m tests.standins.engine env)"; then
    failed+=(engine)
    return 1
  fi
  step "Stand-ins for the official images"
  "$venv_python" -m tests.standins.images build || {
    failed+=(images)
    return 1
  }
}

# integration_tests MODE: a fresh stack, the tests on it, and its end. Where both modes are tested,
# what containers cannot change is tested natively; that the marts are the same is compared.
integration_tests() {
  local mode=$1
  local suites=(tests/integration)
  local chosen=()
  shift
  if [[ $mode == compose && ${#modes[@]} -gt 1 ]]; then
    chosen=(-m "not same_in_both_modes")
  fi
  case $mode in
    # Landers are struck as processes of the tests' own, so one mode is enough.
    native) suites+=(tests/faults) ;;
    compose) suites+=(tests/compose) ;;
  esac
  export METERHOUSE_ENV=$PWD/.stack-test/$mode/.env
  step "A $mode stack for the integration tests"
  setup_if_there reset --yes
  rm -rf ".stack-test/$mode"
  "$venv_python" -m tests.second_stack "$mode" >/dev/null
  if ./initial-setup.sh "--$mode"; then
    # Now that MinIO is compiled, its image need not compile it again.
    [[ $mode == compose || ${#modes[@]} == 1 ]] || begin_images
    # First of all, while nothing else is in the marts: run-tests.sh compares what both modes make.
    step "A seeded week, $mode"
    attempt "seeded week, $mode" "$venv_python" -m pytest tests/seeded -q \
      --junitxml "$results/seeded-$mode.xml"
    step "Integration tests, $mode"
    attempt "integration, $mode" "$venv_python" -m pytest "${suites[@]}" -q \
      --junitxml "$results/$mode.xml" "${chosen[@]}" "$@"
    step "Browser tests, $mode"
    attempt "browser, $mode" browser_tests "$mode" "${chosen[@]}" "$@"
  else
    failed+=("setup, $mode")
  fi
  end_step
  end_stack
}

# secure_tests: the demo on a fresh native stack with TLS and passwords, who is refused there, and
# the way to a plain stack and back. The other tests run on plain stacks, as users begin.
secure_tests() {
  export METERHOUSE_ENV=$PWD/.stack-test/secure/.env
  step "The demo on a secure stack"
  setup_if_there reset --yes
  rm -rf .stack-test/secure
  "$venv_python" -m tests.second_stack secure >/dev/null
  if ./initial-setup.sh demo --secure --native; then
    step "Tests of the secure stack"
    attempt secure "$venv_python" -m pytest tests/secure -q \
      --junitxml "$results/secure.xml" "$@"
  else
    failed+=("demo, secure")
  fi
  end_step
  end_stack
}

# disk_tests: what a full disk does to each service, on a native stack whose disks are small.
disk_tests() {
  export METERHOUSE_ENV=$PWD/.stack-test/disks/.env
  step "Full disks"
  rm -rf .stack-test/disks
  "$venv_python" -m tests.second_stack disks >/dev/null
  attempt disks tests/disks/run.sh .stack-test/disks/state --junitxml "$results/disks.xml" "$@"
  end_step
}

# browser_tests MODE: on what the integration tests left; nothing may be sent meanwhile.
browser_tests() {
  local mode=$1
  shift
  # An engine's networks come and go meanwhile, which Chromium takes ill.
  await_images
  tests/browser/chromium.sh || return
  # What the pages do without a lakehouse, and Kafka's page alone, is the same in both modes.
  local suite=tests/browser
  [[ $mode == native ]] || suite=tests/browser/test_pages.py
  "$venv_python" -m pytest "$suite" -q --junitxml "$results/browser-$mode.xml" "$@"
}

# setup_if_there WORDS...: initial-setup.sh for the stack METERHOUSE_ENV names, if it was made.
setup_if_there() {
  if [[ -f ${METERHOUSE_ENV:-} ]]; then
    attempt "initial-setup.sh $*" ./initial-setup.sh "$@"
  fi
}

# end_stack: stop the stack that METERHOUSE_ENV names, and an engine of the tests' own.
end_stack() {
  setup_if_there stop
  if [[ ${METERHOUSE_ENV:-} == */compose/.env ]]; then
    attempt "engine stop" "$venv_python" -m tests.standins.engine stop
  fi
}
