"""The worker tells a model's progress with its end."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stack.base.errors import RetriableError
from stack.rounds.protocol import Receiver, send
from stack.rounds.worker import NOTE, Commands, Dbt, Recorded
from stack.writing.statements import Statement


def logged(node: str, text: str) -> Any:
    data = SimpleNamespace(msg=text, node_info=SimpleNamespace(unique_id=node))
    return SimpleNamespace(info=SimpleNamespace(name="JinjaLogDebug"), data=data)


def finished(node: str) -> Any:
    info = SimpleNamespace(unique_id=node, node_name=node.removeprefix("model."))
    result = SimpleNamespace(status="success", execution_time=1.0, message="MERGE (1)")
    data = SimpleNamespace(node_info=info, run_result=result)
    return SimpleNamespace(info=SimpleNamespace(name="NodeFinished"), data=data)


def test_a_models_last_line_of_progress_goes_with_its_end_once(tmp_path: Path) -> None:
    here, there = socket.socketpair()
    with here, there:
        dbt = Dbt(there, tmp_path, Recorded())
        for event in (
            logged("model.a", f'{NOTE}{{"after": 1}}'),
            logged("model.b", "a line of another macro"),
            finished("model.b"),
            finished("model.a"),
            finished("model.a"),
        ):
            dbt.on_event(event)
        received, told = Receiver(here), list[tuple[str, Any]]()
        while len(told) < 3:
            told += [(m.content["name"], m.content["progress"]) for m in received.receive(5)]
    assert told == [("b", None), ("a", {"after": 1}), ("a", None)]


class NoStatements:
    """A Trino in which nothing runs."""

    def running(self) -> list[Statement]:
        """None."""
        return []

    def kill(self, query_id: str) -> None:
        """Fail: there is none."""
        raise AssertionError(query_id)


@pytest.mark.parametrize("is_recorded", [True, False], ids=["recorded", "the runner died"])
def test_an_appending_model_ends_once_its_progress_is_recorded(
    tmp_path: Path, is_recorded: bool
) -> None:
    here, there = socket.socketpair()
    recorded, ended = Recorded(), list[str]()
    Commands(there, NoStatements(), recorded)
    dbt = Dbt(there, tmp_path, recorded)
    dbt.on_event(logged("model.a", f'{NOTE}{{"table": "staging.a", "is_awaited": true}}'))

    def end() -> None:
        try:
            dbt.on_event(finished("model.a"))
            ended.append("well")
        except RetriableError:
            ended.append("badly")

    thread = threading.Thread(target=end)
    thread.start()
    with here:
        assert len(Receiver(here).receive(5)) == 1
        send(here, {"recorded": "staging.b"})
        thread.join(0.2)
        assert ended == []
        if is_recorded:
            send(here, {"recorded": "staging.a"})
            thread.join(5)
    thread.join(5)
    assert ended == ["well" if is_recorded else "badly"]
