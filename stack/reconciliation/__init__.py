"""Every message accounted for: what was acknowledged, landed, accepted, quarantined, and lost."""
