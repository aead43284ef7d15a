#!/usr/bin/env bash
# Show every preflight check with its fix; of a service that is not well the reason and its log.

source setup/mode.sh
step "Preflight"
preflight=0
"$python" -m stack doctor || preflight=$?
if "$venv_python" -c '' 2>/dev/null; then
  step "Services"
  stack problems
fi
exit "$preflight"
