#!/usr/bin/env bash
# Full disks: what they do to each service of a native stack.
#
# Usage: tests/suites/disks.sh [PYTEST ARGUMENT...]
# The data folders of Kafka, the object store and Trino are small file systems in memory. They are
# mounted in a mount namespace, which nobody else sees and which ends with its last process.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [[ ${1:-} != --mounted ]]; then
  user=()
  ((EUID == 0)) || user=(--user --map-root-user)
  exec unshare "${user[@]}" --mount -- "$0" --mounted "$@"
fi
shift
chosen=("$@")
# shellcheck source=tests/suites/common.sh
source tests/suites/common.sh
alone
take_stack disks
at_the_end "setup_if_there stop"

step "A native stack with small disks"
fresh_settings
for disk in kafka=300m objectstore=300m trino=3g; do
  folder=.stack-test/disks/state/data/${disk%=*}
  mkdir -p "$folder"
  mount -t tmpfs -o "size=${disk#*=}" "disk of ${disk%=*}" "$folder"
done
if ! ./initial-setup.sh --native; then
  failed "setup, disks"
  exit
fi

step "Full disks"
run_tests disks tests/disks "$@"
