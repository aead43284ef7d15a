#!/usr/bin/env bash
# Fetch what the services run on, start each as soon as it can, wait until each answers a request.

if [[ $RUN_MODE == compose ]]; then
  step "Images"
  stack fetch
  step "Services"
else
  step "Downloads, builds and services"
fi
stack start
