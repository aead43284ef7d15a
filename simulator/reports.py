"""Tell PostgreSQL what Kafka acknowledged, so that reconciliation can hold the broker to it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping

from psycopg2.extras import execute_values

from simulator.delivery import TopicCount
from stack.base.errors import RetriableError
from stack.base.settings import Settings
from stack.clients import postgres

REPORT_SECONDS = 10.0
# Sending goes on while PostgreSQL is away: it is asked seldom, and not waited for.
PAUSE_SECONDS = 60.0
ANSWER_SECONDS = 3
UPSERT = """
    insert into public.producer_reports
    (run_id, producer, topic, topic_id, kafka_partition, acknowledged, last_offset)
    values %s
    on conflict (run_id, topic, topic_id, kafka_partition) do update set
        acknowledged = excluded.acknowledged,
        last_offset = excluded.last_offset,
        reported_at = current_timestamp
"""

Row = tuple[str, str, str, str, int, int, int]


class Reports:
    """The reports of one run. write: stores rows, replacing earlier ones of the same run.

    topic_ids: topic -> Kafka's id of it.
    """

    def __init__(
        self,
        producer: str,
        topic_ids: Mapping[str, str],
        write: Callable[[list[Row]], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._producer, self._topic_ids = producer, topic_ids
        self._write, self._monotonic = write, monotonic
        self._run_id = str(uuid.uuid4())
        self._due = 0.0

    def update(self, counts: Mapping[str, TopicCount]) -> None:
        """Report if the last time is long enough ago; a failure is tried again later."""
        if self._monotonic() >= self._due:
            self.report(counts)

    def report(self, counts: Mapping[str, TopicCount]) -> str:
        """Report now; why that failed, or nothing."""
        try:
            if rows := self.rows(counts):
                self._write(rows)
        except RetriableError as error:
            self._due = self._monotonic() + PAUSE_SECONDS
            return " ".join(str(error).split())
        self._due = self._monotonic() + REPORT_SECONDS
        return ""

    def rows(self, counts: Mapping[str, TopicCount]) -> list[Row]:
        """One row a topic and partition with acknowledged messages."""
        return [
            (
                self._run_id,
                self._producer,
                topic,
                self._topic_ids[topic],
                partition,
                acknowledged,
                last_offset,
            )
            for topic, count in counts.items()
            for partition, (acknowledged, _, last_offset) in sorted(count.partitions.items())
        ]


def writer(settings: Settings) -> Callable[[list[Row]], None]:
    """A store of rows in the stack's PostgreSQL. Calls raise RetriableError."""
    server = postgres.client(settings, postgres.SIMULATOR)

    def write(rows: list[Row]) -> None:
        with server.transaction(
            postgres.MASTER_DATA,
            "simulator, reporting",
            answer_seconds=ANSWER_SECONDS,
            statement_seconds=ANSWER_SECONDS,
        ) as cursor:
            execute_values(cursor, UPSERT, rows)

    return write
