#!/usr/bin/env bash
# Run the tests of full disks on a native stack of their own, named by METERHOUSE_ENV.
#
# Usage: tests/disks/run.sh FOLDER [PYTEST ARGUMENT...]   FOLDER: the stack's state folder
# The data folders of Kafka, the object store and Trino are small file systems in memory. They are
# mounted in a mount namespace, which nobody else sees and which ends with its last process.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [[ ${1:-} != --mounted ]]; then
  user=()
  ((EUID == 0)) || user=(--user --map-root-user)
  exec unshare "${user[@]}" --mount -- "$0" --mounted "$@"
fi
state=$2
shift 2

for disk in kafka=300m objectstore=300m trino=3g; do
  folder=$state/data/${disk%=*}
  mkdir -p "$folder"
  mount -t tmpfs -o "size=${disk#*=}" "disk of ${disk%=*}" "$folder"
done
trap './initial-setup.sh stop' EXIT
./initial-setup.sh --native
.venv/bin/python -m pytest tests/disks -q "$@"
