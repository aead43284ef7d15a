#!/usr/bin/env bash
# Start PostgreSQL as the official image does: a new data folder gets a database cluster, the role
# and database that the environment names, and the files of /docker-entrypoint-initdb.d.
#
# Usage: docker-entrypoint.sh postgres [OPTION...] | COMMAND...
set -Eeo pipefail
old_folder=/var/lib/postgresql/data
init_folder=/docker-entrypoint-initdb.d

fail() {
  printf 'Error: %s\n' "$*" >&2
  exit 1
}

# from_file NAME DEFAULT: set NAME to itself, else to what the file $NAME_FILE holds, else DEFAULT.
from_file() {
  local file_name=${1}_FILE
  local value=${!1:-} file=${!file_name:-}
  [[ -z $value || -z $file ]] || fail "both $1 and $file_name are set"
  [[ -z $file ]] || value=$(<"$file")
  export "$1=${value:-$2}"
  unset "$file_name"
}

refuse_old_mount() {
  if [[ -s $old_folder/PG_VERSION ]] || grep --quiet " $old_folder " /proc/self/mounts; then
    fail "data or a mount at $old_folder: from 18 on the volume belongs at /var/lib/postgresql"
  fi
}

make_folders() {
  mkdir -p "$PGDATA"
  # A folder of another owner: the server itself refuses a mode that it does not want.
  chmod 700 "$PGDATA" || echo "the mode of $PGDATA is left as it is" >&2
  { mkdir -p /run/postgresql && chmod 3775 /run/postgresql; } ||
    echo "/run/postgresql is left as it is" >&2
  if ((EUID == 0)); then
    find "$PGDATA" /run/postgresql ! -user postgres -exec chown postgres {} +
  fi
}

# run_sql PSQL_ARGUMENT...: as the owner of the cluster, in the database of the environment.
run_sql() {
  PGHOST=/var/run/postgresql psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc "$@"
}

run_init_files() {
  local file
  for file in "$init_folder"/*; do
    case $file in
      *.sh)
        echo "$0: running $file"
        # shellcheck source=/dev/null
        if [[ -x $file ]]; then "$file"; else . "$file"; fi
        ;;
      *.sql) echo "$0: running $file" && run_sql --dbname "$POSTGRES_DB" -f "$file" ;;
      *.sql.gz) echo "$0: running $file" && gunzip -c "$file" | run_sql --dbname "$POSTGRES_DB" ;;
      *) echo "$0: ignoring $file" ;;
    esac
  done
}

create_cluster() {
  if [[ -z $POSTGRES_PASSWORD && $POSTGRES_HOST_AUTH_METHOD != trust ]]; then
    fail "POSTGRES_PASSWORD is empty; the superuser of a new cluster needs a password"
  fi
  ls "$init_folder" >/dev/null
  eval 'initdb --username="$POSTGRES_USER" --pwfile=<(echo "$POSTGRES_PASSWORD")' \
    "$POSTGRES_INITDB_ARGS"
  local method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption)}
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

# The server listens on its socket only until the cluster is complete.
fill_cluster() {
  export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
  PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
  if [[ $POSTGRES_DB != postgres ]]; then
    run_sql --dbname postgres --set name="$POSTGRES_DB" <<<'create database :"name";'
  fi
  run_init_files
  PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
  echo 'PostgreSQL init process complete; ready for start up.'
}

if [[ ${1:0:1} == - ]]; then
  set -- postgres "$@"
fi
if [[ $1 == postgres ]]; then
  from_file POSTGRES_PASSWORD ''
  from_file POSTGRES_USER postgres
  from_file POSTGRES_DB "$POSTGRES_USER"
  from_file POSTGRES_INITDB_ARGS ''
  refuse_old_mount
  make_folders
  if ((EUID == 0)); then
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
  fi
  if [[ -s $PGDATA/PG_VERSION ]]; then
    echo 'PostgreSQL Database directory appears to contain a database; Skipping initialization'
  else
    create_cluster
    fill_cluster
  fi
fi
exec "$@"
