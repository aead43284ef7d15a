#!/bin/sh
# Ask Trino a query and follow it to its end: /v1/info says "started" before one can run.
# Runs in Trino's container, which has curl and no JSON tool. Fails with Trino's words.
set -eu
server=http://127.0.0.1:8080
if [ -n "${TRINO_HEALTH_PASSWORD:-}" ]; then
  server=https://localhost:8080
  set -- --cacert "$TLS_CA_FILE" --user "health:$TRINO_HEALTH_PASSWORD"
fi
answer=$(curl -sS --noproxy '*' --max-time 5 "$@" -H "X-Trino-User: health" --data "select 1" \
  "$server/v1/statement")
while next=$(printf '%s' "$answer" | grep -o '"nextUri":"[^"]*"'); do
  next=${next#*:\"}
  answer=$(curl -sS --noproxy '*' --max-time 5 "$@" -H "X-Trino-User: health" "${next%\"}")
done
case $answer in
  *'"state":"FINISHED"'*) ;;
  *)
    printf '%s\n' "$answer" | grep -o '"message":"[^"]*"' || printf '%s\n' "$answer"
    exit 1
    ;;
esac
