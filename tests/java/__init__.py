"""Java's own ways of the real Kafka and Trino, beside the stack's."""
