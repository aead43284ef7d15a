#!/usr/bin/env bash
# Strikes at the lander, dbt and maintenance, services that are killed, and Java's caches.
#
# Usage: tests/suites/faults.sh [--demo] [PYTEST ARGUMENT...]   --demo: also the demo, at the end
# A stack of its own: after a restart Trino needs minutes until it is as fast again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
with_demo=false
if [[ ${1:-} == --demo ]]; then
  with_demo=true
  shift
fi
chosen=("$@")
# shellcheck source=tests/suites/common.sh
source tests/suites/common.sh
alone
take_stack faults
at_the_end "setup_if_there stop"

step "A native stack to be struck"
fresh_settings
if ! ./initial-setup.sh --native; then
  failed "setup, faults"
  exit
fi

step "Faults and restarts, native"
run_tests faults tests/faults tests/java tests/restarts "$@"

if $with_demo; then
  step "The demo, native"
  attempt "demo, native" ./initial-setup.sh demo
fi
