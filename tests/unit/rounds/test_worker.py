"""The worker tells a model's progress with its end."""

from __future__ import annotations

import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from stack.rounds.protocol import Receiver
from stack.rounds.worker import NOTE, Dbt


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
        dbt = Dbt(there, tmp_path)
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
