"""Metrics: made from facts, without any service."""
