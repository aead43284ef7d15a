"""Messages no one would write by hand, and a second statement of what must become of them."""
