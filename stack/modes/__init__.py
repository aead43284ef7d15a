"""The two ways to run the stack, natively and in containers."""
