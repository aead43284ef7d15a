"""What producers report: once a while, at the end, and without holding up the sending."""

from __future__ import annotations

from simulator.delivery import TopicCount
from simulator.reports import Reports, Row
from stack.base.errors import RetriableError


class World:
    """A clock, and a PostgreSQL that keeps rows or is away."""

    def __init__(self) -> None:
        self.now, self.is_away = 100.0, False
        self.writes: list[list[Row]] = []
        self.tries = 0

    def write(self, rows: list[Row]) -> None:
        """Keep rows."""
        self.tries += 1
        if self.is_away:
            raise RetriableError("PostgreSQL", "connection\nrefused", "start it")
        self.writes.append(rows)

    def reports(self) -> Reports:
        """The reports of a run."""
        return Reports("simulator", {"t": "id-1"}, self.write, lambda: self.now)


def counts() -> dict[str, TopicCount]:
    count = TopicCount()
    for partition, offset in ((1, 7), (0, 3), (1, 9), (1, 8)):
        count.add(partition, offset)
    return {"t": count}


def test_a_report_is_one_row_a_topic_and_partition() -> None:
    world = World()
    assert world.reports().report(counts()) == ""
    ((first, second),) = world.writes
    assert first[1:] == ("simulator", "t", "id-1", 0, 1, 3)
    assert second[1:] == ("simulator", "t", "id-1", 1, 3, 9)
    assert first[0] == second[0]


def test_two_runs_report_apart() -> None:
    world = World()
    world.reports().report(counts())
    world.reports().report(counts())
    assert world.writes[0][0][0] != world.writes[1][0][0]


def test_a_run_reports_every_ten_seconds() -> None:
    world = World()
    reports = world.reports()
    for _ in range(25):
        reports.update(counts())
        world.now += 1.0
    assert len(world.writes) == 3


def test_a_report_that_fails_is_told_and_tried_again_after_a_minute() -> None:
    world = World()
    reports = world.reports()
    world.is_away = True
    assert reports.report(counts()) == ("wanted PostgreSQL; found connection refused; start it")
    for _ in range(70):
        reports.update(counts())
        world.now += 1.0
    assert world.tries == 2
    world.is_away = False
    assert reports.report(counts()) == ""


def test_nothing_acknowledged_is_nothing_to_report() -> None:
    world = World()
    assert world.reports().report({"t": TopicCount(sent=3)}) == ""
    assert world.tries == 0
