"""Unit tests of what the test run itself is made of."""
