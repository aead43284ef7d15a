"""The preflight: what is wrong is named with its fix, what is ours is not a conflict."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.base.errors import ConfigurationError
from stack.modes import doctor


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    server = socket.create_server(("127.0.0.1", 0))
    yield server
    server.close()


def test_a_taken_port_names_its_owner_and_the_setting(listener: socket.socket) -> None:
    finding = doctor.port("KAFKA_PORT", listener.getsockname()[1], is_ours=lambda _: False)
    assert f"process {os.getpid()}" in finding.found
    assert "KAFKA_PORT" in finding.fix


def test_a_port_held_by_this_stack_is_good(listener: socket.socket) -> None:
    finding = doctor.port("KAFKA_PORT", listener.getsockname()[1], is_ours=lambda _: True)
    assert finding.is_good


def test_a_free_port_is_good(listener: socket.socket) -> None:
    number = listener.getsockname()[1]
    listener.close()
    assert doctor.port("KAFKA_PORT", number, is_ours=lambda _: False).is_good


def test_family_holds_a_process_and_its_parent_does_not_count() -> None:
    members = doctor.family(os.getpid())
    assert os.getpid() in members
    assert os.getppid() not in members


def test_a_full_disk_is_told_with_the_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "DISK_GB", 1e9)
    (finding,) = doctor.disk([tmp_path / "not" / "there"])
    assert str(tmp_path) in finding.fix


@pytest.mark.parametrize(
    "name", ["ü", "a%2Fb", "a b", "it's", "a#b", "#1", "a;b", "x=y", "日本 🙂", "a!b", "a(b)"]
)
def test_a_folder_name_that_every_program_reads_is_good(name: str) -> None:
    (finding,) = doctor.folder_names([Path("/home") / name])
    assert finding.is_good


@pytest.mark.parametrize(
    "name",
    ["a:b", "a,b", "a$b", 'a"b', "a`b", "a\\b", "a\nb", "a #b", "a ;b", "blank ", "\udcff"],
)
def test_a_folder_name_that_some_program_misreads_is_refused(name: str) -> None:
    (finding,) = doctor.folder_names([Path("/home"), Path("/home") / name])
    assert repr(f"/home/{name}") == finding.found
    assert "use a folder without" in finding.fix


def test_report_raises_after_showing_every_finding() -> None:
    shown: list[str] = []
    found = [doctor.Finding("a", "bad", "fix a"), doctor.Finding("b", "good")]
    with pytest.raises(ConfigurationError, match="1 that do not"):
        doctor.report(found, shown.append)
    assert [line.split(":")[0].strip() for line in shown] == ["✗ a", "fix", "✓ b"]
