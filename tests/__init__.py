"""Tests of Meterhouse."""
