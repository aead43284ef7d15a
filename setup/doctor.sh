#!/usr/bin/env bash
# Show every preflight check with its fix; of an unhealthy service the reason and its log.

step "Mode"
# Where the mode that is asked for cannot be had, the checks are shown all the same.
if found=$("$python" -m stack mode); then
  export RUN_MODE=$found
fi
step "Preflight"
problems=0
"$python" -m stack doctor || problems=$?
if [[ -n $found ]] && "$venv_python" -c '' 2>/dev/null; then
  step "Services"
  stack problems || problems=$?
fi
exit "$problems"
