"""One seed on a fresh stack, for the comparison of both modes."""
