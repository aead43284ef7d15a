"""Tests against a running stack, one file a seam."""
