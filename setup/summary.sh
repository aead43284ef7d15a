#!/usr/bin/env bash
# Print what runs and where.

step "Running"
stack status
end_step
cat <<'TEXT'

  bin/trino                          SQL on the lakehouse
  ./initial-setup.sh demo            fill it and look at the marts
  ./initial-setup.sh status | stop   how it is; end it without loss
TEXT
