"""Tests of stack/scorecard."""
