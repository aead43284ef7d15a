"""Copies of the catalog, the master data and the objects, and the way back; docs/backup.md."""
