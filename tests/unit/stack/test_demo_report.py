"""The demo's helper: what setup/demo.sh names a file after."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
from rich.console import Console

from stack.base.root import PROJECT_ROOT
from stack.base.settings import load_settings


def test_a_topics_id_is_fit_for_a_files_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The id is one that librdkafka told, and what Kafka's own tools made of it."""
    monkeypatch.setattr(
        "simulator.delivery.topic_ids",
        lambda _connection, names: dict.fromkeys(names, "SHjkWGWbQy+/ohL70X3VPw"),
    )
    report = runpy.run_path(str(PROJECT_ROOT / "setup" / "demo_report.py"))
    report["topic"](load_settings(), tmp_path, Console())
    assert capsys.readouterr().out == "SHjkWGWbQy-_ohL70X3VPw\n"


def test_texts_of_others_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    report = runpy.run_path(str(PROJECT_ROOT / "setup" / "demo_report.py"))
    table = report["table_of"](["device_id"], [["[/red]MTR-1 :smile:\x1b[2J"]])
    report["screen"](sys.stdout).print(table)
    assert "[/red]MTR-1 :smile:\\x1b[2J" in capsys.readouterr().out
