"""Write a file as a whole."""

from __future__ import annotations

from pathlib import Path

PRIVATE_MODE = 0o600


def replace_file(path: Path, content: str | bytes, mode: int | None = None) -> None:
    """Write a file so that a reader finds the old content or the new one, never a part.

    mode: nobody meets the file more open than this; None for what the process gives to files.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    if mode is not None:
        draft.touch(mode=PRIVATE_MODE)
    draft.write_bytes(content.encode() if isinstance(content, str) else content)
    if mode is not None:
        draft.chmod(mode)
    draft.replace(path)
