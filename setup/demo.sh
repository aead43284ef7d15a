#!/usr/bin/env bash
# Fill the lakehouse and show it: history, recorded readings, live readings, models, balance, scores.

# Two of the meters replay recorded readings; the simulator leaves them out.
replayed=(MTR-10008 MTR-10009)
simulated=(--without "${replayed[0]}" --without "${replayed[1]}")
live_seconds=4
demo_folder=$(stack get STATE_DIR)/demo
run_folder=$demo_folder/$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$run_folder"

# History comes once into a topic: later demos add live readings, which no half-hour may count
# again.
topic=$("$venv_python" setup/demo_report.py topic "$run_folder")
history_sent=$demo_folder/history-of-$topic
truth=$(stack get STATE_DIR)/truth/demo-$topic
if [[ ! -f $history_sent ]]; then
  step "History of 8 meters: a week, half-hourly, some readings broken on purpose"
  summary "$run_folder/history.log" '^ .*acknowledged' "$venv_python" \
    simulator/telemetry_simulator.py "${simulated[@]}" --days 7 --faults all=0.01 \
    --report "$run_folder/history.json" --truth "$truth-history.jsonl"

  step "Recorded readings of ${#replayed[@]} meters"
  for index in "${!replayed[@]}"; do
    summary "$run_folder/replay-$index.log" '^Totals' "$venv_python" simulator/replay.py \
      --device "${replayed[index]}" --series $((index + 1)) --days 7 --shift-to-now \
      --report "$run_folder/replay-$index.json" --truth "$truth-replay-$index.jsonl"
  done
  touch "$history_sent"
fi

step "Live readings for $live_seconds seconds"
summary "$run_folder/live.log" '^Totals' "$venv_python" \
  simulator/telemetry_simulator.py "${simulated[@]}" --duration "$live_seconds" --quiet \
  --report "$run_folder/live.json" --truth "$truth-live-$(basename "$run_folder").jsonl"

step "Landing"
"$venv_python" setup/demo_report.py land "$run_folder"

step "Models"
if [[ $(stack get DBT_AUTO_RUN) == true ]]; then
  stack round || fail "a round of the models to end well" "the result above" "./initial-setup.sh doctor"
else
  summary "$run_folder/dbt.log" 'Finished running' stack dbt run
fi

step "Balance and marts"
"$venv_python" setup/demo_report.py show "$run_folder"

step "Scorecard: what rules and registers found of the faults that were sent"
stack scorecard "$truth"-*.jsonl || echo "  docs/scorecard.md says what each line means."

step "Running"
stack status || echo "  Not all is well: ./initial-setup.sh doctor says why."
stack security
cat <<TEXT

The demo took $SECONDS s. Look: http://localhost:$(stack get EXPLORER_PORT), Kafka: http://localhost:$(stack get KAFKA_UI_PORT). Try next:
  bin/trino --execute "select * from iceberg.marts.device_daily_metrics where reading_date = current_date"
  bin/trino --execute "select * from iceberg.marts.customer_usage_summary where customer_alert_status != 'NORMAL'"
  bin/trino --execute "select reason, message from iceberg.quality.quarantine_telemetry_raw limit 5"
Send more:  python3 simulator/telemetry_simulator.py   (the marts follow within ten minutes, or bin/stack round)
Stop:       ./initial-setup.sh stop   (loses nothing; ./initial-setup.sh starts it again)
TEXT
