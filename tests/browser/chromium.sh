#!/usr/bin/env bash
# Have Debian's chromium for the browser tests: nothing to do where it is, installed for root, else
# said. Usage: tests/browser/chromium.sh
set -euo pipefail

if command -v chromium >/dev/null; then
  echo "  $(chromium --version 2>/dev/null)"
  exit 0
fi
if ! command -v apt-get >/dev/null || ((EUID != 0)); then
  printf '  wanted: chromium\n  found:  none\n  next:   sudo apt-get install chromium\n' >&2
  exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! {
  apt-get update &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      chromium fonts-dejavu-core
} >"$log" 2>&1; then
  tail -n 5 "$log" >&2
  exit 1
fi
echo "  installed $(chromium --version 2>/dev/null)"
