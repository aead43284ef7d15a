"""A file is replaced as a whole and is never more open than it should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.base.files import replace_file


@pytest.mark.parametrize("content", ["köln\n", "köln\n".encode()], ids=["text", "bytes"])
def test_a_file_is_replaced_in_a_folder_that_need_not_exist(
    tmp_path: Path, content: str | bytes
) -> None:
    path = tmp_path / "a" / "b.txt"
    replace_file(path, "old, and longer than what follows")
    replace_file(path, content)
    assert path.read_bytes() == b"k\xc3\xb6ln\n"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_gets_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o666)
    replace_file(path, b"new", mode)
    assert path.stat().st_mode & 0o777 == mode
