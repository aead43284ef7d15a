"""A secure stack after its demo: who is refused, who may do what, and the way there and back."""
