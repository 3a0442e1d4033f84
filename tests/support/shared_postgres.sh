#!/usr/bin/env bash
# Usage: shared_postgres.sh start|stop FILE
#
# Starts or stops a PostgreSQL server that several test programs share, at the same time or one after
# another. FILE holds the folder of the server's socket. ctest runs this as the fixture `postgres`; a
# test program without it starts a server of its own (PostgresCluster::Shared).
set -euo pipefail

action=$1
file=$2
programs=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
if [ -z "$programs" ]; then
  echo "there is no PostgreSQL server: install the package postgresql (scripts/install-deps test)" >&2
  exit 1
fi

# PostgreSQL refuses to run as root.
as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then
    setpriv --reuid postgres --regid postgres --clear-groups "$@"
  else
    "$@"
  fi
}

stop() {
  local folder
  folder=$(cat "$file" 2>/dev/null || true)
  rm -f "$file"
  [ -n "$folder" ] && [ -d "$folder" ] || return 0
  # A server that a killed run has left behind may have ended already.
  as_postgres "$programs/pg_ctl" stop --silent -D "$folder/data" -m immediate || true
  rm -rf "$folder"
}

start() {
  stop
  local folder
  # The path of a socket must be short, and the server's user must have access to it.
  folder=$(mktemp -d /tmp/penstock-postgres-XXXXXX)
  printf '%s' "$folder" >"$file"
  [ "$(id -u)" -ne 0 ] || chown postgres: "$folder"
  cd "$folder"
  as_postgres "$programs/initdb" --no-sync --auth=trust --username=postgres --encoding=UTF8 \
    --locale=C.UTF-8 "$folder/data" >/dev/null
  as_postgres "$programs/pg_ctl" start --silent --wait -D "$folder/data" -l "$folder/log" -o \
    "-k $folder -c listen_addresses= -c fsync=off -c max_connections=200 -c max_prepared_transactions=4" \
    >/dev/null
}

case $action in
  start | stop) "$action" ;;
  *)
    sed -n 2p "$0" >&2
    exit 2
    ;;
esac
