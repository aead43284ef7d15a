"""The compose file on a container engine of the tests' own, with images built on this machine."""
