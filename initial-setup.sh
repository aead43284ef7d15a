#!/usr/bin/env bash
# Set up and run Meterhouse on this machine. Safe to run again: it never deletes data.
#
# Usage: ./initial-setup.sh [setup|demo|stop|status|doctor|reset] [--native|--compose]
#                           [--secure|--plain] [--yes]
#   setup    check the machine, start every service, fill the master data (the default)
#   demo     all of that, then history, live readings, models; prints marts and balance
#   stop     end every service without loss
#   status   one line a service
#   doctor   every preflight check with its fix, and why a service is unhealthy
#   reset    delete all data, after asking (--yes: without)
# Without --native or --compose: Docker Compose where an engine answers, else native processes.
# --secure: TLS and passwords in Trino and Kafka; --plain, as at first: neither, on loopback only.
# The choices are kept in .env (RUN_MODE, SECURE); data stays when they change.
set -euo pipefail

# bash and Python read these before any line of ours; stack/base/caller.py lists what counts.
for name in CDPATH "${!PYTHON@}"; do
  [[ $name == PYTHON_VERSION ]] || unset "$name"
done

METERHOUSE_ENV=$(realpath -ms "${METERHOUSE_ENV:-$(dirname "${BASH_SOURCE[0]}")/.env}")
export METERHOUSE_ENV
cd "$(dirname "${BASH_SOURCE[0]}")"
venv_python=$PWD/.venv/bin/python
# shellcheck source=setup/lib.sh
source setup/lib.sh

action=setup
assume_yes=false
for word in "$@"; do
  case $word in
    setup | demo | stop | status | doctor | reset) action=$word ;;
    --yes) assume_yes=true ;;
    --native | --compose) export RUN_MODE=${word#--} ;;
    --secure) export SECURE=true ;;
    --plain) export SECURE=false ;;
    -h | --help)
      sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"
      exit 0
      ;;
    *)
      echo "unknown word: $word; ./initial-setup.sh --help lists the known ones" >&2
      exit 2
      ;;
  esac
done

# Commands other than setup and demo need the environment that setup made.
need_setup() {
  "$venv_python" -c '' 2>/dev/null ||
    fail "an installed stack" "no virtual environment in $PWD/.venv" "run ./initial-setup.sh"
}

python=$(find_python) ||
  fail "Python 3.11 or newer" "$(python3 --version 2>&1 || echo none)" "install python3 and python3-venv"

case $action in
  doctor)
    source setup/doctor.sh
    ;;
  status | stop)
    need_setup
    stack "$action"
    ;;
  reset)
    source setup/reset.sh
    ;;
  setup | demo)
    source setup/mode.sh
    source setup/preflight.sh
    source setup/settings.sh
    source setup/python.sh runtime
    source setup/services.sh
    source setup/master_data.sh
    if [[ $action == demo ]]; then
      source setup/demo.sh
    else
      source setup/summary.sh
    fi
    ;;
esac
