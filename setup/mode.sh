#!/usr/bin/env bash
# Choose how to run: as asked for, as an earlier setup did, or by what this machine offers.

step "Mode"
RUN_MODE=$("$python" -m stack mode)
export RUN_MODE
