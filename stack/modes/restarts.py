"""Services that end again and again: how often, and the reason in their log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

# Trino may end once while it starts under load; three ends in five minutes are a fault that stays.
MANY, WITHIN = 3, timedelta(minutes=5)
# After so long a life the earlier ends are history.
SETTLED_SECONDS = 60.0
READ_BYTES = 64_000
SHOWN_REASON = 300
EVENT = re.compile(r"^(\S+ \S+),\d+ \w+ (exited|stopped): (\S+) \((.*)\)$", re.MULTILINE)
COMPLAINT = re.compile(r"^\d+\) \S|\b(ERROR|FATAL|Error|[A-Za-z.]*Exception)\b")


def trouble(
    supervisor_log: Path,
    service_log: Path,
    name: str,
    now: datetime,
    since: datetime = datetime.min,
) -> str:
    """How often a service ended lately, and why; empty unless that is often.

    now, since: in the zone of the log, that of the machine. Ends before `since` do not count.
    """
    ends = ends_of(tail(supervisor_log), name, max(since, now - WITHIN))
    if len(ends) < MANY:
        return ""
    minutes = int(WITHIN.total_seconds() // 60)
    reason = reason_in(tail(service_log).splitlines())
    return f"ended {len(ends)} times in {minutes} minutes ({ends[-1]}): {reason}"


def ends_of(log: str, name: str, since: datetime) -> list[str]:
    """How a service ended by itself, since a time and its last wanted stop."""
    ends: list[str] = []
    for at, event, service, how in EVENT.findall(log):
        if service != name or datetime.fromisoformat(at) < since:
            continue
        ends = [*ends, how.split(";")[0]] if event == "exited" else []
    return ends


def reason_in(lines: Sequence[str]) -> str:
    """The last complaint of a log; else its last line."""
    complaints = [number for number, line in enumerate(lines) if COMPLAINT.search(line)]
    found = lines[complaints[-1] :][:2] if complaints else lines[-1:]
    return " ".join(" ".join(found).split())[:SHOWN_REASON] or "nothing in its log"


def tail(path: Path) -> str:
    """The end of a log; empty where there is none."""
    if not path.exists():
        return ""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - READ_BYTES))
        return stream.read().decode(errors="replace")
