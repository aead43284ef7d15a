#!/usr/bin/env bash
# Print what runs and where.

step "Running"
stack status || echo "  Not all is well: ./initial-setup.sh doctor says why."
stack security
end_step
cat <<TEXT

  http://localhost:$(stack get EXPLORER_PORT)              the explorer; Kafka: http://localhost:$(stack get KAFKA_UI_PORT)
  bin/trino                          SQL on the lakehouse
  ./initial-setup.sh demo            fill it and look at the marts
  ./initial-setup.sh status | stop   how it is; end it without loss
TEXT
