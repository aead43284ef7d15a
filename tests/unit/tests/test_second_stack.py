"""Two stacks of the tests that are set up at once share no port."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.base.settings import parse_env_file
from tests import second_stack


def test_a_second_stack_takes_no_port_of_one_that_does_not_listen_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A machine whose free ports come in the same order each time.
    monkeypatch.setattr(second_stack, "free_ports", lambda count: range(20_000, 20_000 + count))
    files = [tmp_path / name / ".env" for name in ("native", "faults")]
    for file in files:
        second_stack.main(file, file.parent.name)

    first, second = map(second_stack.ports_of, files)

    assert first.keys() == second.keys()
    assert len(first) >= 10
    assert not set(first.values()) & set(second.values())
    folders = {parse_env_file(file)["STATE_DIR"] for file in files}
    assert folders == {".stack-test/native/state", ".stack-test/faults/state"}
