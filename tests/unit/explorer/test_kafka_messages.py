"""Reading messages within limits, from a consumer that is made up."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message

from explorer.kafka_messages import (
    KEPT_BYTES,
    READING_OPTIONS,
    SCANNED_MESSAGES,
    SHOWN_MESSAGES,
    FoundMessages,
    Question,
    StartAt,
    Window,
    mean_bytes,
    record_of,
    scan,
    windows_of,
)
from explorer.kafka_topics import KafkaTopic, Partition
from tests.unit.explorer.kafka_fakes import FakeConsumer, FakeMessage

OLDEST = Question(start=StartAt.BEGINNING)


def topic(*ranges: tuple[int, int]) -> KafkaTopic:
    partitions = (Partition(number, *bounds, bounds[1]) for number, bounds in enumerate(ranges))
    return KafkaTopic("readings", tuple(partitions))


def messages(number: int, first: int, until: int) -> list[FakeMessage]:
    return [FakeMessage(number, offset, milliseconds=offset) for offset in range(first, until)]


def ask(
    question: Question,
    of: KafkaTopic,
    *batches: list[FakeMessage],
    consumer: FakeConsumer | None = None,
    clock: Callable[[], float] = lambda: 0.0,
) -> FoundMessages:
    fake = consumer or FakeConsumer(iter(batches))
    return scan(cast(Consumer, fake), of, question, windows_of(question, of), clock)


def offsets(answer: FoundMessages) -> list[tuple[int, int]]:
    return [(record.partition, record.offset) for record in answer.records]


def test_the_newest_come_first() -> None:
    answer = ask(Question(count=2), topic((0, 5)), messages(0, 3, 5))

    assert offsets(answer) == [(0, 4), (0, 3)]
    assert (answer.scanned, answer.skipped) == (2, 3)


def test_the_oldest_come_in_the_order_of_their_times_across_partitions() -> None:
    question = Question(start=StartAt.BEGINNING, count=3)
    answer = ask(question, topic((0, 9), (0, 9)), messages(1, 0, 3), messages(0, 0, 3))

    assert offsets(answer) == [(0, 0), (1, 0), (0, 1)]


def test_the_consumer_is_put_at_absolute_offsets() -> None:
    consumer = FakeConsumer(iter([messages(0, 3, 5)]))
    ask(Question(count=2), topic((0, 5)), consumer=consumer)

    assert consumer.assigned == [("readings", 0, 3)]
    assert consumer.paused == [0]


def test_an_empty_topic_assigns_nothing() -> None:
    consumer = FakeConsumer(iter([]))
    answer = ask(Question(), topic((7, 7)), consumer=consumer)

    assert (answer.records, answer.scanned, consumer.assigned) == ((), 0, [])


def test_one_partition_can_be_chosen() -> None:
    windows = windows_of(Question(partition=1, count=3), topic((0, 9), (0, 9)))

    assert windows == [Window(1, 6, 9)]


@pytest.mark.parametrize(
    ("start", "window"),
    [
        pytest.param(3, Window(0, 10, 20), id="before the oldest"),
        pytest.param(12, Window(0, 12, 20), id="between"),
        pytest.param(99, Window(0, 20, 20), id="after the end"),
    ],
)
def test_an_offset_outside_what_is_held_is_moved_into_it(start: int, window: Window) -> None:
    assert windows_of(Question(start=StartAt.OFFSET), topic((10, 20)), {0: start}) == [window]


def test_a_filter_looks_at_no_more_than_the_limit() -> None:
    windows = windows_of(Question(text_part="x"), topic((0, 10**6), (0, 10**6), (0, 50)))

    assert sum(window.until - window.first for window in windows) == SCANNED_MESSAGES
    assert windows[2] == Window(2, 0, 50)
    assert windows[0].until == 10**6


def test_no_more_is_shown_than_the_stated_number() -> None:
    question = Question(start=StartAt.BEGINNING, count=10**6)
    answer = ask(question, topic((0, 900)), messages(0, 0, 900))

    assert len(answer.records) == SHOWN_MESSAGES


@pytest.mark.parametrize(
    ("question", "found"),
    [
        pytest.param(Question(start=StartAt.BEGINNING, key_part="mtr-2"), [1], id="key"),
        pytest.param(Question(start=StartAt.BEGINNING, text_part="WARN"), [0, 1], id="text"),
        pytest.param(
            Question(start=StartAt.BEGINNING, key_part="MTR-2", text_part="ok"), [], id="both"
        ),
    ],
)
def test_filters_pass_over_what_does_not_fit(question: Question, found: list[int]) -> None:
    batch = [
        FakeMessage(0, 0, b"warn", b"MTR-1"),
        FakeMessage(0, 1, b"Warn", b"MTR-2"),
        FakeMessage(0, 2, b"ok", None),
        FakeMessage(0, 3, None, b"MTR-3"),
    ]
    answer = ask(question, topic((0, 4)), batch)

    assert [record.offset for record in answer.records] == found
    assert answer.scanned == 4


def test_of_too_many_that_fit_the_newest_stay() -> None:
    answer = ask(Question(count=2, text_part="{"), topic((0, 9)), messages(0, 0, 9))

    assert offsets(answer) == [(0, 8), (0, 7)]


def test_a_gap_at_the_end_of_a_window_ends_it() -> None:
    answer = ask(OLDEST, topic((0, 3)), messages(0, 0, 2), [FakeMessage(0, 8)])

    assert (offsets(answer), answer.is_out_of_time) == ([(0, 0), (0, 1)], False)


def test_the_told_end_of_a_partition_ends_it() -> None:
    end = FakeMessage(0, 2, code=KafkaError._PARTITION_EOF)
    answer = ask(OLDEST, topic((0, 3)), [*messages(0, 0, 2), end])

    assert (answer.scanned, answer.is_out_of_time) == (2, False)


def test_reading_ends_after_the_stated_time() -> None:
    ticks: Iterable[int] = itertools.count()
    answer = ask(OLDEST, topic((0, 9)), messages(0, 0, 1), clock=lambda: float(next(iter(ticks))))

    assert (offsets(answer), answer.is_out_of_time) == ([(0, 0)], True)
    assert answer.went_on_to == {0: 1}


def test_an_error_of_the_broker_is_raised() -> None:
    with pytest.raises(KafkaException):
        ask(OLDEST, topic((0, 9)), [FakeMessage(0, 0, code=KafkaError.TOPIC_AUTHORIZATION_FAILED)])


def test_a_long_message_is_cut_between_characters() -> None:
    record = record_of(cast(Message, FakeMessage(0, 0, b"x" + "é".encode() * KEPT_BYTES)))

    assert record.is_cut
    assert record.value is not None
    assert record.value.decode().endswith("é")
    assert record.value_bytes == 2 * KEPT_BYTES + 1


@pytest.mark.parametrize("milliseconds", [253_402_300_800_000, 2**63 - 1, -1])
def test_a_time_beyond_the_calendar_is_none(milliseconds: int) -> None:
    message = FakeMessage(0, 0, milliseconds=milliseconds)

    assert record_of(message).written_at is None  # type: ignore[arg-type]


def test_headers_are_kept_in_order() -> None:
    message = FakeMessage(0, 0, pairs=(("b", b"1"), ("a", b"2"), ("b", b"3")))

    assert record_of(cast(Message, message)).headers == (("b", b"1"), ("a", b"2"), ("b", b"3"))


def test_the_mean_size_counts_key_and_value() -> None:
    batch = [FakeMessage(0, 0, b"12345", b"k"), FakeMessage(0, 1, b"123", b"k")]
    answer = ask(OLDEST, topic((0, 2)), batch)

    assert mean_bytes(answer.records) == 5.0
    assert mean_bytes(()) is None


def test_the_reader_stores_no_offset() -> None:
    assert READING_OPTIONS["enable.auto.commit"] is False
    assert READING_OPTIONS["enable.auto.offset.store"] is False
