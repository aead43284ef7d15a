#!/usr/bin/env bash
# Run every SQL file of this folder in order with psql; each is safe to run again.
# Usage: apply.sh   with PGHOST, PGUSER, PGPASSWORD and the roles' passwords in the environment
set -euo pipefail

# The passwords go in by \getenv: arguments of a process are visible to others.
passwords=()
for role in catalog simulator trino dbt; do
  passwords+=(-c "\\getenv ${role}_password POSTGRES_${role^^}_PASSWORD")
done
for file in "$(dirname "${BASH_SOURCE[0]}")"/*.sql; do
  printf '%s\n' "${file##*/}"
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname postgres "${passwords[@]}" --file "$file"
done
