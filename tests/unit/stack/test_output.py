"""A reader that has enough ends a command without a traceback."""

from __future__ import annotations

import os
import subprocess
import sys

from stack.base.root import PROJECT_ROOT


def test_a_command_whose_reader_has_gone_ends_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        result = subprocess.run(
            [sys.executable, "-m", "stack", "doctor"],
            cwd=PROJECT_ROOT,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert result.stderr == ""
    assert result.returncode == 1
