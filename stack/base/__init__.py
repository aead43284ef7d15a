"""Settings, errors and small helpers of the standard library; imports nothing above."""
