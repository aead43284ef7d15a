"""Unit tests of the lander."""
