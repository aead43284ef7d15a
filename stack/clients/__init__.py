"""One way to each service: its address, login and options."""
