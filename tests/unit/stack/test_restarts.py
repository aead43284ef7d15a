"""A service that ends again and again is told, with its own reason."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from stack.modes import restarts

NOW = datetime(2026, 11, 30, 12, 5)
# As supervisord and Trino write them.
INVALID = """\
2026-11-30T12:04:58.1Z\tINFO\tmain\tBootstrap\tPROPERTY
2026-11-30T12:04:59.1Z\tERROR\tmain\tio.trino.server.Server\tConfiguration is invalid
==========

Errors:

1) Error: Heap size cannot be greater than maximum heap size
  at io.trino.memory

1 error
"""


def line(at: str, word: str, name: str = "trino") -> str:
    return f"2026-11-30 {at},123 WARN {word}: {name} (exit status 100; not expected)\n"


def trouble(tmp_path: Path, events: str, log: str = INVALID) -> str:
    supervisor_log, service_log = tmp_path / "supervisord.log", tmp_path / "trino.log"
    supervisor_log.write_text(events)
    service_log.write_text(log)
    return restarts.trouble(supervisor_log, service_log, "trino", NOW)


def test_three_ends_in_five_minutes_are_told_with_the_reason(tmp_path: Path) -> None:
    events = "".join(line(at, "exited") for at in ("12:01:00", "12:02:00", "12:04:59"))
    assert trouble(tmp_path, events) == (
        "ended 3 times in 5 minutes (exit status 100): "
        "1) Error: Heap size cannot be greater than maximum heap size at io.trino.memory"
    )


@pytest.mark.parametrize(
    "events",
    [
        "",
        line("12:04:00", "exited"),
        "".join(line(at, "exited") for at in ("11:50:00", "11:51:00", "12:04:00")),
        "".join(line("12:04:00", "exited") for _ in range(3)) + line("12:04:30", "stopped"),
        "".join(line("12:04:00", "exited", "kafka") for _ in range(3)),
    ],
    ids=["none", "once", "long ago", "before a wanted stop", "another service"],
)
def test_fewer_ends_are_no_trouble(tmp_path: Path, events: str) -> None:
    assert trouble(tmp_path, events) == ""


def test_ends_from_before_a_setup_do_not_end_it(tmp_path: Path) -> None:
    """A service that waits for its next start is stopped without a line in supervisor's log."""
    events = "".join(line(at, "exited") for at in ("12:01:00", "12:02:00", "12:04:59"))
    supervisor_log = tmp_path / "supervisord.log"
    supervisor_log.write_text(events)
    logs = supervisor_log, tmp_path / "trino.log"
    assert restarts.trouble(*logs, "trino", NOW)
    assert restarts.trouble(*logs, "trino", NOW, datetime(2026, 11, 30, 12, 5)) == ""


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (
            "Error occurred during initialization of VM\nToo small maximum heap\n",
            "Error occurred during initialization of VM Too small maximum heap",
        ),
        ("no space left on device\n", "no space left on device"),
        ("", "nothing in its log"),
    ],
    ids=["java", "last line", "silent"],
)
def test_the_reason_is_the_last_complaint(log: str, reason: str) -> None:
    assert restarts.reason_in(log.splitlines()) == reason
