"""Offsets that hold no message: transactions, aborted and compacted messages, open transactions."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.cimpl import NewTopic

from explorer import kafka_topics
from lander.consumer import GROUP, KafkaReader
from lander.properties import known_losses
from stack.base.root import PROJECT_ROOT
from stack.books.broker import Broker
from stack.clients.kafka import DBT, administrator, client_options
from stack.provision import ready, topics
from stack.watermarks.landed import LANDED_PROPERTY, Watermark
from tests.integration.actors import Actors
from tests.integration.books import Books, admin, land, remove
from tests.integration.lakehouse import TOPIC, Lakehouse, no_word

pytestmark = pytest.mark.same_in_both_modes

WAIT_SECONDS = 30.0
CLEANED_SECONDS = 90.0
HOLE_TEST = PROJECT_ROOT / "dbt-project" / "data-tests" / "generic" / "no_kafka_hole_or_double.sql"
# Segments so short that each message begins a new one, and cleaning without waiting.
COMPACTED = {
    "cleanup.policy": "compact",
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0.01",
    "delete.retention.ms": "0",
}


@dataclass(frozen=True)
class LandingRelation:
    """A landing table as dbt's templates see it."""

    identifier: str
    database: str = "iceberg"
    schema: str = "landing"

    def __str__(self) -> str:
        return f'{self.database}.{self.schema}."{self.identifier}"'

    @classmethod
    def create(cls, database: str, schema: str, identifier: str) -> LandingRelation:
        """As dbt's api.Relation does it."""
        return cls(identifier, database, schema)


@dataclass(frozen=True)
class Way:
    """A topic of one partition, its landing and its books."""

    books: Books
    folder: Path

    @property
    def topic(self) -> str:
        """Its name."""
        return self.books.topic

    def send(self, *messages: str, key: str = "k") -> None:
        """Plain messages."""
        pairs = [(key.encode(), message.encode()) for message in messages]
        self.books.lakehouse.send_raw(pairs, self.topic)

    def transaction(self, *messages: str) -> Producer:
        """Messages of a transaction that is still open; Kafka has them."""
        options = client_options(self.books.lakehouse.settings)
        producer = Producer(options | {"transactional.id": f"{self.topic}-{uuid.uuid4().hex}"})
        producer.init_transactions(WAIT_SECONDS)
        producer.begin_transaction()
        for message in messages:
            producer.produce(self.topic, message.encode())
        assert producer.flush(WAIT_SECONDS) == 0
        return producer

    def commit(self, *messages: str) -> None:
        """A transaction that is committed."""
        self.transaction(*messages).commit_transaction(WAIT_SECONDS)
        self.wait_for_markers()

    def abort(self, *messages: str) -> None:
        """A transaction that is aborted."""
        self.transaction(*messages).abort_transaction(WAIT_SECONDS)
        self.wait_for_markers()

    def wait_for_markers(self) -> None:
        """Kafka answers before it has written the marker that ends a transaction."""
        self.books.lakehouse.wait_until(lambda: not self.held_back(), WAIT_SECONDS)

    def held_back(self) -> int:
        """Offsets that an open transaction holds back."""
        broker = Broker(administrator(self.books.lakehouse.settings, DBT))
        return broker.with_ends(broker.begins([self.topic]))[self.topic].held_back

    def land(self, group: str = "") -> str:
        """Land what readers get; what the lander said. group: as which member of Kafka's groups."""
        return land(self.folder, [self.topic], group)

    def rows(self) -> list[tuple[int, str, int]]:
        """Offset, message, and offsets skipped before it."""
        columns = ("kafka_offset", "message", "kafka_skipped")
        rows = self.books.landing().scan(selected_fields=columns).to_arrow().to_pylist()
        return sorted(tuple(row[name] for name in columns) for row in rows)

    def landed(self) -> Watermark:
        """What the landing table says."""
        return Watermark.from_json(self.books.landing().properties[LANDED_PROPERTY])

    def clear(self, before: int) -> None:
        """Delete what is before an offset, as retention does."""
        self.books.clear({0: before})

    def balances(self) -> None:
        """Nothing is missing, to an increment, a full count and the models' own test."""
        self.books.process()
        assert self.books.reconcile() == 0, self.books.differences()
        assert self.books.reconcile(is_full=True) == 0, self.books.differences()
        assert self.holes() == []

    def holes(self) -> list[list[object]]:
        """What the models' own test of landing tables finds."""
        text = HOLE_TEST.read_text(encoding="utf-8").replace("{% test", "{% macro")
        text = text.replace("{% endtest %}", "{% endmacro %}")
        api = SimpleNamespace(Relation=LandingRelation)
        macro = jinja2.Environment().from_string(text, {"api": api}).module  # noqa: S701
        render = vars(macro)["no_kafka_hole_or_double"]
        return self.books.run(render(LandingRelation(self.topic)))

    def held(self) -> list[int]:
        """The offsets of all messages that Kafka gives to a reader."""
        options = client_options(self.books.lakehouse.settings) | {
            "group.id": f"test-{uuid.uuid4()}",
            "enable.partition.eof": True,
        }
        found: list[int] = []
        with closing(Consumer(options)) as consumer:
            consumer.assign([TopicPartition(self.topic, 0, 0)])
            while (message := consumer.poll(WAIT_SECONDS)) and not message.error():
                found.append(int(message.offset() or 0))
        return found


@pytest.fixture
def way(lakehouse: Lakehouse, tmp_path: Path) -> Iterator[Way]:
    yield from made(lakehouse, tmp_path, {})


@pytest.fixture
def compacted(lakehouse: Lakehouse, tmp_path: Path) -> Iterator[Way]:
    yield from made(lakehouse, tmp_path, COMPACTED)


def made(lakehouse: Lakehouse, folder: Path, configuration: dict[str, str]) -> Iterator[Way]:
    mark = uuid.uuid4().hex[:10]
    books = Books(lakehouse, f"dbt_skipped_{mark}", f"skipped_{mark}")
    lakehouse.sql(f"create schema iceberg.{books.schema}")
    kafka = admin(lakehouse)
    kafka.create_topics([NewTopic(books.topic, 1, 1, config=configuration)])[books.topic].result()
    lakehouse.wait_until(lambda: books.topic in kafka.list_topics(timeout=5).topics)
    yield Way(books, folder / "topics")
    remove({"way": books})


def test_the_marker_of_a_transaction_is_no_missing_message(way: Way) -> None:
    way.commit("in a transaction")
    way.land()
    way.balances()
    way.send("plain")
    way.land()

    assert way.rows() == [(0, "in a transaction", 0), (2, "plain", 1)]
    way.balances()


def test_aborted_messages_do_not_land_and_are_not_missing(way: Way) -> None:
    way.abort("never", "never")
    way.commit("first", "second")
    way.abort("never")
    way.send("last")
    way.land()

    assert way.rows() == [(3, "first", 3), (4, "second", 0), (8, "last", 3)]
    way.balances()


def test_a_row_that_was_deleted_beside_a_marker_is_still_missing(way: Way) -> None:
    way.commit("in a transaction")
    way.send("plain", "gone", "last")
    way.land()
    way.balances()
    way.books.landing().delete("message = 'gone'")

    assert way.books.reconcile(is_full=True) == 1
    assert any("1 missing" in difference for difference in way.books.differences())
    assert way.holes() != []


def test_retention_of_a_transaction_at_the_end_is_no_loss(way: Way) -> None:
    way.commit("in a transaction")
    way.land()
    way.clear(2)
    way.land()
    way.send("plain")
    way.land()

    assert known_losses(way.books.landing()) == []
    assert way.rows() == [(0, "in a transaction", 0), (2, "plain", 1)]
    way.balances()


def test_an_idle_topic_that_ends_in_a_marker_has_no_lag_and_no_further_commits(way: Way) -> None:
    way.commit("in a transaction")
    way.land()
    before = way.books.landing().metadata_location
    way.land()

    assert way.books.landing().metadata_location == before
    assert (way.landed().offsets, way.landed().skipped) == ({0: 2}, {0: 1})
    way.balances()
    ((lag, seconds),) = way.books.rows("lag_messages", "lag_seconds")[-1:]
    assert (lag[way.topic], seconds[way.topic]) == (0, 0.0)


def test_what_waits_behind_an_open_transaction_is_named_and_is_no_lag(way: Way) -> None:
    way.send("before")
    producer = way.transaction("open")
    way.send("after")

    # As the stack's lander, whose group the explorer shows.
    said = way.land(GROUP)

    assert "first_offset=1 last_offset=2 reason=an open transaction" in said
    assert way.rows() == [(0, "before", 0)]
    way.balances()
    ((lag,),) = way.books.rows("lag_messages")[-1:]
    assert lag[way.topic] == 0
    assert way.held_back() == 2
    assert lag_in_explorer(way) == 0
    producer.commit_transaction(WAIT_SECONDS)
    way.wait_for_markers()
    assert "open transaction" not in way.land()
    assert way.rows() == [(0, "before", 0), (1, "open", 0), (2, "after", 0)]
    way.balances()


def lag_in_explorer(way: Way) -> int:
    """What the explorer says of the lander's group and this topic."""
    kafka = admin(way.books.lakehouse)
    look = kafka_topics.take_look(kafka, time.monotonic())
    (group,) = (g for g in kafka_topics.take_groups(kafka, look) if g.name == GROUP)
    return sum(each.lag for each in group.progress if each.topic == way.topic)


# Kafka takes half a minute to clean; gaps of transactions are quicker.
@pytest.mark.thorough
def test_a_compacted_topic_lands_with_gaps_that_are_no_losses(compacted: Way) -> None:
    way = compacted
    way.send("first", key="a")
    for number in range(4):
        way.send(str(number), key="b")
        time.sleep(0.2)
    way.land()
    way.send("4", key="b")
    time.sleep(0.2)
    way.send("5", key="b")
    time.sleep(0.2)
    way.send("last", key="c")
    way.books.lakehouse.wait_until(lambda: way.held() == [0, 6, 7], CLEANED_SECONDS)
    way.land()

    rows = way.rows()
    assert [(offset, message) for offset, message, _ in rows[-3:]] == [
        (4, "3"),
        (6, "5"),
        (7, "last"),
    ]
    assert [skipped for _, _, skipped in rows[-2:]] == [1, 0]
    assert sum(1 + skipped for _, _, skipped in rows) == 8
    way.balances()
    assert topics.compacted_of(admin(way.books.lakehouse), [way.topic, TOPIC]) == {way.topic}


def test_a_reader_that_retention_overtakes_is_told_and_does_not_jump(way: Way) -> None:
    way.send("first")
    reader = KafkaReader(way.topic, client_options(way.books.lakehouse.settings))
    try:
        way.books.lakehouse.wait_until(
            lambda: not len(reader.read(10, 0.1)) and bool(reader.assigned)
        )
        reader.start({0: 0}, {})
        read = []
        end = time.monotonic() + WAIT_SECONDS
        while not reader.ends and time.monotonic() < end:
            read += reader.read(10, 0.1).offsets.tolist()
        assert read == [0]
        # It stands at offset 1 and asks nothing while Kafka writes and deletes.
        reader._consumer.pause([TopicPartition(way.topic, 0)])
        way.send("second", "third", "fourth")
        way.clear(3)
        reader._consumer.resume([TopicPartition(way.topic, 0)])
        while not reader.needs_restart and time.monotonic() < end:
            read += reader.read(10, 0.1).offsets.tolist()
        assert (read, reader.needs_restart) == ([0], True)
    finally:
        reader.close()


def test_a_moved_position_survives_a_restart_of_the_broker_whose_epoch_it_is_not(way: Way) -> None:
    """The marker has a later leader epoch than the message: the log looks cut, and is not."""
    producer = way.transaction("in a transaction")
    actors = Actors(way.books.lakehouse.settings)
    actors.stop("kafka")
    actors.start("kafka")
    ready.wait(way.books.lakehouse.settings, CLEANED_SECONDS, no_word)
    producer.commit_transaction(120)
    way.wait_for_markers()
    way.land()
    assert way.landed().skipped == {0: 1}
    way.land()
    way.send("plain")
    way.land()

    assert way.rows() == [(0, "in a transaction", 0), (2, "plain", 1)]
    assert known_losses(way.books.landing()) == []
