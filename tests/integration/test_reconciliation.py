"""What is lost, duplicated or gone between producer and models is told, with exit code 1."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pytest

import stack.rounds.books
from simulator.delivery import TopicCount, topic_ids
from simulator.reports import Reports, writer
from stack.books.reconcile import Ask, Reconciler
from stack.books.report import ADDED
from stack.clients.kafka import client_options
from stack.rounds.outcome import Outcome, Result
from stack.writing import lock
from tests.integration.books import (
    Books,
    create_topic,
    delete_topic,
    land,
    new_books,
    remove,
)
from tests.integration.lakehouse import Lakehouse

pytestmark = pytest.mark.same_in_both_modes

NAMES = (
    *("whole", "hole", "double", "unjudged", "recreated", "cleared", "beyond", "rounds"),
    *("asked",),
)
TURN_SECONDS = 180.0
LONG_SECONDS = 300.0


@pytest.fixture(scope="module")
def made(
    lakehouse: Lakehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Books]]:
    """One way of messages for each test, landed by one lander."""
    found = new_books(lakehouse, NAMES, tmp_path_factory.mktemp("topics"))
    yield found
    remove(found)


def report(books: Books, acknowledged: dict[int, tuple[int, int]]) -> None:
    """Be a producer that was acknowledged: partition -> messages, last offset."""
    settings = books.lakehouse.settings
    ids = topic_ids(client_options(settings), [books.topic])
    count = TopicCount(
        partitions={p: [number, 0, last] for p, (number, last) in acknowledged.items()}
    )
    assert Reports("test", ids, writer(settings)).report({books.topic: count}) == ""


def delete_row(books: Books, condition: str) -> None:
    """Take a row out of the landing table behind everybody's back."""
    before = books.landing().scan().to_arrow().num_rows
    books.landing().delete(condition)
    assert books.landing().scan().to_arrow().num_rows == before - 1


def test_what_is_whole_balances_and_the_next_row_counts_what_is_new(
    made: dict[str, Books], tmp_path_factory: pytest.TempPathFactory
) -> None:
    books = made["whole"]
    ends = books.lakehouse.end_offsets(books.topic)
    report(books, {p: (end, end - 1) for p, end in ends.items() if end})
    assert books.reconcile() == 0
    books.send("bad", "late", "later")
    assert books.reconcile() == 0
    land(tmp_path_factory.mktemp("more"), [books.topic])
    assert books.reconcile() == 0
    books.process()
    assert books.reconcile() == 0
    columns = ("landed", "unprocessed", "accepted", "acknowledged", "lag_messages", "lag_seconds")
    found = [[column[books.topic] for column in row] for row in books.rows(*columns)]
    waited = found[1].pop()
    assert 0 < waited < LONG_SECONDS
    assert found == [
        [12, 0, 11, 12, 0, 0.0],
        [12, 0, 11, 12, 3],
        [12, 3, 11, 12, 0, 0.0],
        [15, 0, 13, 12, 0, 0.0],
    ]
    assert books.rows("quarantined")[-1] == [{books.topic: {"bad": 2}}]
    ((last,),) = books.rows("broker_end_offsets")[-1:]
    assert last == {books.topic: books.lakehouse.end_offsets(books.topic)}
    # As the ledger of 0.1.0, which lacks the columns.
    for column in ADDED:
        books.run(f"alter table iceberg.{books.plan.ledger} drop column {column}")
    assert books.reconcile(is_full=True) == 0
    assert books.rows("flagged") == [*[[None]] * 4, [{books.topic: {}}]]
    assert books.rows("register_spans") == [*[[None]] * 4, [{}]]
    assert [extent for (extent,) in books.rows("extent")] == [*["increment"] * 4, "full"]


def test_what_follows_a_row_of_ones_own_asks_trino_to_count_what_is_new_alone(
    made: dict[str, Books], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The landing table, both outcome tables, and the row itself; the rest is in metadata files."""
    books = made["asked"]
    reconciler = Reconciler(books.lakehouse.settings, books.plan)
    first = reconciler.reconcile(Ask(), None, lambda: None)
    books.send("bad", "late", "later")
    land(tmp_path_factory.mktemp("asked"), [books.topic])
    books.process()
    began = books.lakehouse.value("select cast(current_timestamp as varchar)")
    second = reconciler.reconcile(Ask(), first, lambda: None)
    assert second.report.differences == ()
    assert second.report.landed[books.topic] - first.report.landed[books.topic] == 3
    statements = books.lakehouse.sql(
        f"select query from system.runtime.queries where \"user\" = '{books.schema}' "
        f"and created >= timestamp '{began}'"
    )
    listed = "\n".join(" ".join(sql.split())[:200] for (sql,) in statements)
    assert len(statements) == 4, listed


def test_a_row_gone_from_landing_is_told_until_it_is_back(made: dict[str, Books]) -> None:
    books = made["hole"]
    assert books.reconcile() == 0
    snapshot = books.landing().metadata.current_snapshot_id
    delete_row(books, "kafka_partition == 0 and kafka_offset == 1")
    assert books.reconcile() == 1
    hole, balance = books.differences()
    assert "partition 0" in hole
    assert "found 1 missing" in hole
    wanted = re.search(r"every message from offset 0 to (\d+) once", hole)
    assert wanted
    assert int(wanted[1]) < 12
    assert "accepted + quarantined = 11 landed messages; found 11 + 1 = 12" in balance
    assert books.reconcile() == 1
    assert books.differences() == [hole, balance]
    table = books.landing()
    assert snapshot is not None
    table.manage_snapshots().rollback_to_snapshot(snapshot).commit()
    assert books.reconcile() == 0


def test_a_row_that_landed_twice_is_told(made: dict[str, Books]) -> None:
    books = made["double"]
    rows: pa.Table = books.landing().scan(row_filter="kafka_offset == 0").to_arrow()
    books.landing().append(rows.slice(0, 1))
    assert books.reconcile() == 1
    assert "1 duplicated" in books.differences()[0]


def test_a_message_without_an_outcome_is_told(made: dict[str, Books]) -> None:
    books = made["unjudged"]
    assert books.reconcile() == 0
    books.run(f"delete from iceberg.{books.table('accepted')} where kafka_offset = 1")
    lost = books.landing().scan(row_filter="kafka_offset == 1").to_arrow().num_rows
    assert books.reconcile() == 1
    (balance,) = books.differences()
    assert f"accepted + quarantined = 12 landed messages; found {11 - lost} + 1" in balance


def test_a_recreated_topic_is_told(made: dict[str, Books]) -> None:
    books = made["recreated"]
    assert books.reconcile() == 0
    delete_topic(books.lakehouse, books.topic)
    create_topic(books.lakehouse, books.topic)
    books.send(*(f"new {number}" for number in range(40)))
    assert books.reconcile() == 1
    (recreated,) = books.differences()
    assert "the topic was recreated" in recreated


def test_a_gap_of_retention_is_told(made: dict[str, Books]) -> None:
    books = made["cleared"]
    assert books.reconcile() == 0
    before = books.lakehouse.end_offsets(books.topic)
    books.send(*(f"unseen {number}" for number in range(20)))
    ends = books.lakehouse.end_offsets(books.topic)
    books.clear(ends)
    assert books.reconcile() == 1
    taken = [ends[p] - before[p] for p in sorted(ends) if ends[p] > before[p]]
    found = [re.findall(r"retention took (\d+);", text) for text in books.differences()]
    assert found == [[str(count)] for count in taken]


def test_what_was_acknowledged_and_is_not_in_the_broker_is_told(made: dict[str, Books]) -> None:
    books = made["beyond"]
    end = books.lakehouse.end_offsets(books.topic)[0]
    report(books, {0: (end, end + 4)})
    assert books.reconcile() == 1
    (beyond,) = books.differences()
    assert f"every offset below {end + 5}, which producers were acknowledged" in beyond
    assert f"the broker ends at {end}" in beyond


def test_a_round_writes_a_row_only_where_something_changed(made: dict[str, Books]) -> None:
    books, lines = made["rounds"], list[str]()
    settings = books.lakehouse.settings

    def log(event: str, **facts: object) -> None:
        lines.append(event)

    kept = stack.rounds.books.Books(settings, lambda: books.plan, log, lambda: None, lambda: False)

    def close(result: Result) -> Outcome:
        with lock.hold_lock(settings, lock.SCHEDULED_ROUND, TURN_SECONDS, log) as held:
            return kept.close(Outcome(result), held)

    assert close(Result.OK).result is Result.OK
    assert close(Result.NOTHING_NEW).result is Result.NOTHING_NEW
    assert len(books.rows("result")) == 1
    delete_row(books, "kafka_partition == 1 and kafka_offset == 0")
    assert close(Result.NOTHING_NEW).result is Result.DIFFERENCE
    again = close(Result.NOTHING_NEW)
    assert again.result is Result.DIFFERENCE
    assert "1 missing" in again.detail
    assert [result for (result,) in books.rows("result")] == ["balanced", "difference"]
    assert lines.count("ERROR difference") == 2
