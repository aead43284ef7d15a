"""Tests of the clients of services that need no service."""
