"""Java's ahead-of-time caches: classes loaded and linked already, and which methods ran often.

A program that finds its cache starts with half the work. stack/modes/training.py makes them, once
per machine and version, in the user's cache folder. Java ignores one that does not fit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from stack.programs import java
from stack.programs.paths import Paths

DIGEST_CHARACTERS = 16
KEPT = 3


@dataclass(frozen=True)
class ClassCache:
    """The cache of one program.

    folder: holds all of this user's caches. fit: a digest of all that Java compares, so that
    another Java, version or option has another file. options_file: Java reads it at its start. A
    new cache is then no other command, for which setup would restart the program.
    """

    program: str
    folder: Path
    fit: str
    options_file: Path

    def files(self) -> list[Path]:
        """The cache, with a digest of its content at the end of its name; or nothing."""
        return sorted(self.folder.glob(f"{self.program}-{self.fit}-*.aot"))

    def prepare(self) -> None:
        """Write the option with which the program uses the cache, if there is one."""
        file = self.sound()
        self.write_options(**({"AOTCache": file} if file else {}))

    def write_options(self, **options: object) -> None:
        """Write options of Java's virtual machine, as Java reads them from a file."""
        lines = (f'"-XX:{name}={escaped(str(value))}"\n' for name, value in options.items())
        self.options_file.write_text("".join(lines), encoding="utf-8")

    def sound(self) -> Path | None:
        """The cache, if there is one; a damaged one, which could end Java, is deleted."""
        for file in self.files():
            with suppress(FileNotFoundError):
                if file.stem.endswith(f"-{digest_of(file)}"):
                    return file
                file.unlink()
        return None

    def keep(self, made: Path) -> None:
        """Move a new cache to its place, and delete the program's oldest."""
        made.rename(self.folder / f"{self.program}-{self.fit}-{digest_of(made)}.aot")
        files = sorted(self.folder.glob(f"{self.program}-*.aot"), key=age)
        for file in files[:-KEPT]:
            file.unlink(missing_ok=True)


def cache_of(program: str, paths: Paths, library: Path, options: Sequence[str]) -> ClassCache:
    """The cache of a program.

    library: folder of the jars on its class path. options: those of Java that count, not its heap.
    """
    fits = [java.fingerprint(), *options, *jars(library)]
    fit = hashlib.sha256("\n".join(fits).encode()).hexdigest()[:DIGEST_CHARACTERS]
    return ClassCache(program, paths.cache, fit, paths.state / f"{program}-java-options")


def escaped(text: str) -> str:
    """Text between the double quotes of a file of options."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def jars(library: Path) -> Iterator[str]:
    """Each jar as Java compares it."""
    for jar in sorted(library.glob("*.jar")):
        facts = jar.stat()
        yield f"{jar} {facts.st_size} {facts.st_mtime_ns}"


def age(file: Path) -> int:
    """When a file was written last, to sort by; nothing for one that has gone."""
    return file.stat().st_mtime_ns if file.exists() else 0


def digest_of(file: Path) -> str:
    """A digest of a file's content."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:DIGEST_CHARACTERS]
