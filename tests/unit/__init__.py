"""Tests without network or services."""
