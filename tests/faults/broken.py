"""Builds of the lander with one promise taken out: the sweep must find each of them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import TopicPartition

from lander import schema
from tests.faults.steps import replace


def retry_commits() -> None:
    """PyIceberg puts a refused append onto the newer table, as it does by default."""
    schema.PROPERTIES["commit.retry.num-retries"] = "4"


def trust_the_group() -> None:
    """Positions come from the offsets of the consumer group instead of the table."""

    def changed(start: Callable[..., None]) -> Callable[..., None]:
        def start_from_group(
            reader: Any, positions: Mapping[int, int], _epochs: Mapping[int, int]
        ) -> None:
            asked = [TopicPartition(reader.topic, partition) for partition in positions]
            found = reader._consumer.committed(asked, 10)
            start(reader, {each.partition: max(each.offset, 0) for each in found}, {})

        return start_from_group

    replace("lander.consumer:KafkaReader.start", changed)


BUILDS: dict[str, Callable[[], None]] = {
    "retry-commits": retry_commits,
    "trust-the-group": trust_the_group,
}
# Only members of one group can be led astray by its offsets.
NEED_A_GROUP = {"trust-the-group"}
