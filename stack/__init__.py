"""The stack in floors: each package imports of its own floor and of those below."""
