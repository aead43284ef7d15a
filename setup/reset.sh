#!/usr/bin/env bash
# Delete every service's data after the project's name was typed (or --yes was given).

project=$("$python" -m stack get PROJECT_NAME)
state=$("$python" -m stack get STATE_DIR)
if [[ ! -d $state ]]; then
  echo "  nothing to delete: $state does not exist"
  exit 0
fi
if [[ $assume_yes != true ]]; then
  printf 'This deletes all data below %s. Type %s to go on: ' "$state" "$project"
  read -r answer || answer=
  [[ $answer == "$project" ]] || fail "$project" "${answer:-nothing}" "nothing was deleted"
fi
if "$venv_python" -c '' 2>/dev/null; then
  stack stop
fi
rm -rf -- "$state"
echo "  deleted; .env and the downloads stay"
