"""How the lakehouse is, for Prometheus; docs/operations.md explains each metric."""
