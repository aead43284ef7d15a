"""Every message accounted for: reconciliation of all parts, and metrics for Prometheus."""
