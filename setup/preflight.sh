#!/usr/bin/env bash
# Check the machine; nothing has been changed yet and nothing is until every check passes.

step "Preflight"
"$python" -m stack doctor --quiet
