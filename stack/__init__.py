"""Addresses, readiness and native services of the Meterhouse stack; knows nothing of meters."""
