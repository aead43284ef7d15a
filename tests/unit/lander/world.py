"""One topic, one lake, one clock, and the landers at work on them."""

from __future__ import annotations

from dataclasses import dataclass, field

from lander.pending import Limits
from lander.topic_lander import TopicLander
from lander.topics import Topic
from tests.unit.lander.fakes import FakeClock, FakeLake, FakeReader, FakeTable, FakeTopic

TOPIC = Topic(name="lines", format="text", description="", sort_by=(), fields=())


@dataclass
class World:
    """One topic, one lake, one clock, and as many landers as wanted."""

    topic: FakeTopic = field(default_factory=lambda: FakeTopic(partitions=2))
    lake: FakeLake = field(default_factory=FakeLake)
    clock: FakeClock = field(default_factory=FakeClock)

    def lander(self, *partitions: int, **options: bool) -> Pair:
        """One more lander, assigned to these partitions (all)."""
        reader, table = FakeReader(self.topic, partitions), FakeTable(self.lake)
        limits = Limits(seconds=5, rows=100, byte_count=1_000)
        lander = TopicLander(TOPIC, reader, table, limits, self.clock, **options)
        return Pair(lander, reader, table, self.clock)


@dataclass
class Pair:
    """A lander and the fakes it works on."""

    lander: TopicLander
    reader: FakeReader
    table: FakeTable
    clock: FakeClock

    def steps(self, count: int = 3) -> None:
        """Some rounds of the loop."""
        for _ in range(count):
            self.lander.step()

    def land(self) -> None:
        """Read, let the commit fall due, commit."""
        self.steps()
        self.clock.pass_seconds(6)
        self.steps()
