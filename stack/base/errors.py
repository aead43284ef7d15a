"""Errors of Meterhouse, grouped by what the reader has to do about them."""

from __future__ import annotations


class MeterhouseError(Exception):
    """An expected failure, told as: what was wanted, what was found, what to do next."""

    def __init__(self, wanted: str, found: str, next_step: str) -> None:
        super().__init__(f"wanted {wanted}; found {found}; {next_step}")
        self.wanted = wanted
        self.found = found
        self.next_step = next_step


class ConfigurationError(MeterhouseError):
    """A setting, file or argument must be changed before trying again."""


class RetriableError(MeterhouseError):
    """A service is away or busy; the same call can succeed later."""


class FatalError(MeterhouseError):
    """Going on would lose or double data; a person has to decide."""
