#!/usr/bin/env bash
# Delete every service's data after the project's name was typed (or --yes was given).

source setup/mode.sh
project=$("$python" -m stack get PROJECT_NAME)
state=$("$python" -m stack get STATE_DIR)
if [[ $RUN_MODE == native && ! -d $state ]]; then
  echo "  nothing to delete: $state does not exist"
  exit 0
fi
what="below $state"
[[ $RUN_MODE == native ]] || what="in the volumes of Docker Compose's project $project"
if [[ $assume_yes != true ]]; then
  printf 'This deletes all data %s. Type %s to go on: ' "$what" "$project"
  read -r answer || answer=
  [[ $answer == "$project" ]] || fail "$project" "${answer:-nothing}" "nothing was deleted"
fi
if [[ $RUN_MODE == native ]] && ! "$venv_python" -c '' 2>/dev/null; then
  rm -rf -- "$state"
else
  need_setup
  stack erase
fi
echo "  deleted; .env and the downloads stay"
