#!/usr/bin/env bash
# Copy .env.example to .env, once, with fresh random passwords.

step "Settings"
"$python" -m stack env
