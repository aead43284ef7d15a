"""A container engine of the tests and stand-ins for the official images, without a registry."""
