"""Unit tests of what the benchmarks compute."""
