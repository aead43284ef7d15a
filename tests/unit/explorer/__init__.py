"""Tests of the explorer without any service."""
