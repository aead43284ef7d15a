"""Strikes at every step of the lander's work, and the proof that nothing is lost or duplicated."""
