"""Reconciliation: pure accounts of made-up evidence."""
