"""Backups and restores, without a network."""
