"""Create .env from .env.example, once, with fresh random passwords."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import get_type_hints

from stack.base.errors import ConfigurationError
from stack.base.settings import EXAMPLE_FILE, Secret, Settings, parse_env_file

PASSWORD_BYTES = 18
NOT_PLAIN = re.compile(r"[\"'$\r\n]")


def secret_names() -> set[str]:
    """The settings that are passwords."""
    return {name.upper() for name, kind in get_type_hints(Settings).items() if kind is Secret}


def fresh_passwords() -> dict[str, str]:
    """A random value for each setting that is a password."""
    return {name: secrets.token_hex(PASSWORD_BYTES) for name in secret_names()}


def create(path: Path, changes: dict[str, str] | None = None) -> bool:
    """Write the env file unless it exists; say whether it was written now.

    changes: values that differ from the example's, for instance the ports of a second stack.
    """
    if path.exists():
        return False
    values = fresh_passwords() | (changes or {})
    path.touch(mode=0o600)
    path.write_text(filled(EXAMPLE_FILE.read_text(encoding="utf-8"), values), encoding="utf-8")
    return True


def complete(path: Path) -> list[str]:
    """Add the settings that the example has and the file lacks, as after an upgrade; their names.

    What the file holds stays as it is.
    """
    example, own = parse_env_file(EXAMPLE_FILE), parse_env_file(path)
    missing = [name for name in example if name not in own]
    fresh = fresh_passwords()
    text = path.read_text(encoding="utf-8").rstrip("\n") + "\n"
    lines = "".join(f"{name}={fresh.get(name, example[name])}\n" for name in missing)
    if missing:
        path.write_text(text + "\n# Added later; .env.example explains them.\n" + lines, "utf-8")
    return missing


def empty_passwords(path: Path) -> list[str]:
    """The passwords that the file leaves empty, as a copy of the example does."""
    values = parse_env_file(path)
    return sorted(name for name in secret_names() if not values.get(name))


def fill_passwords(path: Path) -> list[str]:
    """Put a random password where the file leaves one empty; the names.

    Only for a stack without data: its services know the passwords they were first started with.
    """
    empty = empty_passwords(path)
    fresh = fresh_passwords()
    values = {name: fresh[name] for name in empty}
    if empty:
        # A copy is as readable as what it was copied from.
        path.chmod(0o600)
        path.write_text(filled(path.read_text(encoding="utf-8"), values), encoding="utf-8")
    return empty


def worth_keeping(exported: Mapping[str, str]) -> dict[str, str]:
    """Those of the exported settings that differ from the example's, for a new file.

    Raises ConfigurationError for a value that a line of the file cannot hold.
    """
    example, passwords = parse_env_file(EXAMPLE_FILE), secret_names()
    for name, text in exported.items():
        if NOT_PLAIN.search(text):
            raise ConfigurationError(
                f"{name} without quotes, $ and line breaks, so that .env can keep it",
                "one of them in the environment",
                "choose another value",
            )
    return {
        name: text
        for name, text in exported.items()
        if text != example[name] and (text or name not in passwords)
    }


def filled(text: str, values: dict[str, str]) -> str:
    """The env file's text with these values put in, everything else kept."""
    lines = []
    for line in text.splitlines():
        name = line.partition("=")[0]
        lines.append(f"{name}={values[name]}" if name in values else line)
    return "\n".join(lines) + "\n"


def change(path: Path, name: str, value: str) -> None:
    """Set one value in an existing env file."""
    path.write_text(filled(path.read_text(encoding="utf-8"), {name: value}), encoding="utf-8")


def check(path: Path) -> None:
    """Raise ConfigurationError for a password left empty or a file that others can read."""
    empty = empty_passwords(path)
    if empty:
        raise ConfigurationError(
            f"a value for {', '.join(empty)}",
            f"none in {path}, and data that services keep under the earlier ones",
            "write those passwords; or ./initial-setup.sh reset, which deletes the data",
        )
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(
            f"{path} readable by its owner only",
            f"mode {path.stat().st_mode & 0o777:o}",
            f"chmod 600 '{path}'",
        )
