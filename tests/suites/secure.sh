#!/usr/bin/env bash
# TLS and passwords: the demo, who is refused, and the way to a plain stack and back.
#
# Usage: tests/suites/secure.sh [PYTEST ARGUMENT...]
# A fresh stack: the first setup and demo of a machine are tried here. That a stack with data becomes
# secure and plain again is among the tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
chosen=("$@")
# shellcheck source=tests/suites/common.sh
source tests/suites/common.sh
alone
take_stack secure
at_the_end "setup_if_there stop"

step "The demo on a secure stack"
fresh_settings
if ! ./initial-setup.sh demo --secure --native; then
  failed "demo, secure"
  exit
fi

step "Tests of the secure stack"
run_tests secure tests/secure "$@"
