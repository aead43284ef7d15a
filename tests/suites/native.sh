#!/usr/bin/env bash
# Native services: a seeded week, the seams, the browser.
#
# Usage: tests/suites/native.sh [PYTEST ARGUMENT...]
# The stack is recreated, and stopped at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
chosen=("$@")
# shellcheck source=tests/suites/common.sh
source tests/suites/common.sh
alone
take_stack native
at_the_end "setup_if_there stop"

step "A native stack"
fresh_settings
if ! ./initial-setup.sh --native; then
  failed "setup, native"
  exit
fi

# First of all, while nothing else is in the marts: run-tests.sh compares what both modes make.
step "A seeded week, native"
run_tests seeded-native tests/seeded

step "Integration tests, native"
run_tests native tests/integration "$@"

browser_tests native tests/browser "$@"
