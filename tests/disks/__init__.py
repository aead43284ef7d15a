"""Disks that are really full: a native stack whose data folders are small file systems."""
