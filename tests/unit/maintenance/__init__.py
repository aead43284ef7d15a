"""Tests of maintenance that need no service."""
