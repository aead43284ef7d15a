#!/usr/bin/env bash
# Fill customer_master and device_master; rows that are there stay as they are.

step "Master data"
"$venv_python" -m simulator.master_data
