#!/usr/bin/env bash
# What every step of the setup says and calls. Sourced by initial-setup.sh.

# step TITLE: end the step before with its time and begin the next.
step() {
  end_step
  step_title=$1
  step_started=$SECONDS
  printf '\n%s\n' "$step_title"
}

end_step() {
  if [[ -n ${step_title:-} ]]; then
    printf '  (%s s)\n' "$((SECONDS - step_started))"
  fi
  step_title=
}

# fail WANTED FOUND NEXT: say what went wrong and what to do, and end with 1.
fail() {
  printf '\n  ✗ wanted: %s\n    found:  %s\n    next:   %s\n' "$1" "$2" "$3" >&2
  exit 1
}

# find_python: print the first interpreter that is new enough.
find_python() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null &&
      "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

# summary LOG PATTERN COMMAND...: run with the output in LOG and show only the lines that match.
summary() {
  local log=$1 pattern=$2
  shift 2
  if "$@" >>"$log" 2>&1; then
    grep -E "$pattern" "$log" | tail -n 3 | sed 's/^ */  /'
  else
    tail -n 20 "$log" >&2
    fail "$2 to end well" "the output above" "the whole of it is in $log"
  fi
}

# download COMMAND...: run a command that needs a package index, with the caller's ways to reach it.
download() {
  "$python" -m stack.base.caller "$@"
}

# stack COMMAND...: the project's Python commands, in its own environment.
stack() {
  "$venv_python" -m stack "$@"
}
