#!/usr/bin/env bash
# Containers: the compose file that users get, on an engine and images of the tests' own.
#
# Usage: tests/suites/compose.sh [PYTEST ARGUMENT...]
# A machine that can have no engine is told so; that is no failure. Without tests/standins the
# engine of this machine is used, with the official images.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
chosen=("$@")
# shellcheck source=tests/suites/common.sh
source tests/suites/common.sh
alone
change_networks

stand_ins() {
  [[ ! -d tests/standins ]] || "$venv_python" -m tests.standins "$@"
}

# start_engine: have one, with the stand-ins' images in it. 3: this machine can have none.
start_engine() {
  if [[ ! -d tests/standins ]]; then
    docker info >/dev/null || return 3
    return 0
  fi
  stand_ins start || return
  eval "$(stand_ins env)"
  stand_ins build
}

# end_stack: in an engine of the tests' own the data stays; in another one the containers go too,
# for a stack of the user's has the same names.
end_stack() {
  if [[ -d tests/standins && -z ${METERHOUSE_TEST_DOCKER_HOST:-} ]]; then
    setup_if_there stop
  else
    setup_if_there reset --yes
  fi
}

take_stack compose
at_the_end "attempt 'engine stop' stand_ins stop"
step "A container engine and its images"
code=0
start_engine || code=$?
if ((code != 0)); then
  ((code == 3)) || failed engine
  exit
fi

step "A stack in containers"
at_the_end "change_networks; end_stack; attempt 'engine stop' stand_ins stop"
fresh_settings
stand_ins settings
if ! ./initial-setup.sh --compose; then
  failed "setup, compose"
  exit
fi

step "A seeded week, compose"
run_tests seeded-compose tests/seeded

step "Integration tests, compose"
# Landers are struck as processes of the tests' own: natively is enough.
run_tests compose tests/integration tests/compose tests/restarts "$@"

# What the pages do without a lakehouse, and Kafka's page alone, is the same in both modes.
browser_tests compose tests/browser/test_pages.py "$@"
