"""Create .env from .env.example, once, with fresh random passwords."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import get_type_hints

from stack.base.errors import ConfigurationError
from stack.base.settings import EXAMPLE_FILE, Secret, Settings, parse_env_file

PASSWORD_BYTES = 18


def secret_names() -> set[str]:
    """The settings that are passwords."""
    return {name.upper() for name, kind in get_type_hints(Settings).items() if kind is Secret}


def create(path: Path, changes: dict[str, str] | None = None) -> bool:
    """Write the env file unless it exists; say whether it was written now.

    changes: values that differ from the example's, for instance the ports of a second stack.
    """
    if path.exists():
        return False
    values = {name: secrets.token_hex(PASSWORD_BYTES) for name in secret_names()} | (changes or {})
    path.touch(mode=0o600)
    path.write_text(filled(EXAMPLE_FILE.read_text(encoding="utf-8"), values), encoding="utf-8")
    return True


def complete(path: Path) -> list[str]:
    """Add the settings that the example has and the file lacks, as after an upgrade; their names.

    What the file holds stays as it is.
    """
    example, own = parse_env_file(EXAMPLE_FILE), parse_env_file(path)
    missing = [name for name in example if name not in own]
    fresh = {name: secrets.token_hex(PASSWORD_BYTES) for name in secret_names()}
    text = path.read_text(encoding="utf-8").rstrip("\n") + "\n"
    lines = "".join(f"{name}={fresh.get(name, example[name])}\n" for name in missing)
    if missing:
        path.write_text(text + "\n# Added later; .env.example explains them.\n" + lines, "utf-8")
    return missing


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
    values = parse_env_file(path)
    empty = sorted(name for name in secret_names() if not values.get(name))
    if empty:
        raise ConfigurationError(
            f"a value for {', '.join(empty)}",
            f"none in {path}",
            "write one; a new stack gets its own when the file is missing",
        )
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(
            f"{path} readable by its owner only",
            f"mode {path.stat().st_mode & 0o777:o}",
            f"chmod 600 '{path}'",
        )
