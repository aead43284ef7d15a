"""The runner of rounds and the one-writer lock, without a network."""
