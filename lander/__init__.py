"""Kafka to Iceberg: every message becomes one row, exactly once, within seconds."""
