"""The service: threads, exit codes and the health file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lander.health import LandingHealth, write
from lander.pending import Limits
from lander.service import DONE, FAILED, LOST_MESSAGES, LanderService
from lander.topic_lander import TopicLander
from lander.topics import Topic
from tests.unit.lander.fakes import START, FakeClock, FakeLake, FakeReader, FakeTable, FakeTopic

LIMITS = Limits(seconds=5, rows=100)


class SlowReader(FakeReader):
    """A reader whose group gives it nothing: its lander runs until it is stopped."""

    def __init__(self, topic: FakeTopic) -> None:
        super().__init__(topic)
        self.assigned = frozenset()


def topic(name: str) -> Topic:
    return Topic(name=name, format="text", description="", sort_by=(), fields=())


def lander(name: str, reader: FakeReader, table: FakeTable) -> TopicLander:
    return TopicLander(topic(name), reader, table, LIMITS, FakeClock(), stop_at_end=True)


def filled() -> FakeTopic:
    kafka = FakeTopic()
    kafka.send(b"a", b"b")
    return kafka


def test_a_run_ends_when_every_topic_is_caught_up(tmp_path: Path) -> None:
    lakes = [FakeLake(), FakeLake()]
    landers = [
        lander(f"topic{number}", FakeReader(filled()), FakeTable(lake))
        for number, lake in enumerate(lakes)
    ]

    code = LanderService(landers, tmp_path / "health" / "lander.json", FakeClock()).run()

    assert code == DONE
    assert [len(lake.rows) for lake in lakes] == [2, 2]
    health = json.loads((tmp_path / "health" / "lander.json").read_text())
    assert health["pid"] == os.getpid()
    assert {name: entry["rows"] for name, entry in health["topics"].items()} == {
        "topic0": 2,
        "topic1": 2,
    }


@pytest.mark.parametrize(
    ("error", "earliest", "expected"),
    [
        pytest.param(ZeroDivisionError("a fault of ours"), 0, FAILED, id="fault"),
        pytest.param(None, 1, LOST_MESSAGES, id="lost-messages"),
    ],
)
def test_a_failure_of_one_topic_ends_the_service_with_its_code(
    tmp_path: Path, error: Exception | None, earliest: int, expected: int
) -> None:
    kafka, table = filled(), FakeTable(FakeLake())
    lander("early", FakeReader(kafka), table).step()
    kafka.earliest[0] = earliest + 2 if earliest else 0
    kafka.send(b"c")
    reader = FakeReader(kafka)
    reader.error = error
    waiting = lander("waiting", SlowReader(filled()), FakeTable(FakeLake()))
    failing = lander("failing", reader, table)

    code = LanderService([waiting, failing], tmp_path / "lander.json", FakeClock()).run()

    assert code == expected
    assert failing.health.state == "failed"
    assert reader.is_closed
    assert waiting.health.state == "stopped"


def test_a_stopped_service_ends_well_and_leaves_the_group() -> None:
    reader = SlowReader(filled())
    service = LanderService([lander("waiting", reader, FakeTable(FakeLake()))], None, FakeClock())
    service.stop()

    assert service.run() == DONE
    assert reader.is_closed


def test_the_health_file_shows_the_worst_of_its_topics(tmp_path: Path) -> None:
    topics = {
        "a": LandingHealth(state="running"),
        "b": LandingHealth(state="waiting", reason="Kafka is away"),
    }

    write(tmp_path / "lander.json", topics, now=START)

    text = json.loads((tmp_path / "lander.json").read_text())
    assert (text["state"], text["pid"]) == ("waiting", os.getpid())
    assert text["updated_at"] == "2026-01-01T00:00:00Z"
    assert text["topics"]["b"]["reason"] == "Kafka is away"
