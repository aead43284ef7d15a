#!/usr/bin/env bash
# The dbt container's process, and its `dbt` command.
# Usage: entrypoint.sh            rounds at every DBT_RUN_INTERVAL, or idle if DBT_AUTO_RUN=false
#        entrypoint.sh ARGUMENTS  one dbt command by hand, behind the one-writer lock
set -euo pipefail

root=$(dirname "$(dirname "$(realpath "$0")")")
python=$root/.venv/bin/python
if [[ ! -x $python ]]; then
  python=$(command -v python3)
fi
export PYTHONPATH=$root

if (($# == 0)); then
  # Inside the container; docker-compose.yml publishes the port on 127.0.0.1.
  exec "$python" -u -m stack rounds --metrics-address 0.0.0.0
fi
exec "$python" -m stack dbt "$@"
