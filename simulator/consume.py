"""The command line of the telemetry consumer: print messages, then commit them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from simulator.arguments import add_kafka, positive_count
from simulator.delivery import Acknowledgement, broker_metadata, check_topics
from simulator.screen import Screen, banner, energy_text, read_json
from simulator.session import StopFlag
from stack.base.errors import MeterhouseError, RetriableError
from stack.base.settings import Settings, load_settings
from stack.base.text import ESCAPED_BYTES, readable, shortened
from stack.clients.kafka import PEOPLE, Trouble, connection

TITLE = "Smart Meter Telemetry Consumer"
GROUP = "telemetry-consumer-group"
MESSAGES_A_ROUND = 500
POLL_SECONDS = 0.3
# Of a longer line only the beginning is shown.
SHOWN_CHARACTERS = 2_000


def parser(settings: Settings) -> argparse.ArgumentParser:
    """The command line, its defaults from the settings."""
    result = argparse.ArgumentParser(
        prog="telemetry_consumer.py",
        description="Print the messages of the telemetry topic as they come. The group goes on "
        "where it left off, the first time at the oldest message.",
    )
    add_kafka(result, settings)
    result.add_argument("--group", default=GROUP, help="consumer group (%(default)s)")
    result.add_argument(
        "--from-beginning",
        action="store_true",
        help="start at the oldest message, whatever the group has read",
    )
    result.add_argument(
        "--max-messages", type=positive_count, metavar="N", help="stop after so many messages"
    )
    return result


def consumer_settings(group: str) -> dict[str, Any]:
    """Settings of librdkafka: nothing is committed but by us."""
    return {
        "client.id": "meterhouse-consumer",
        "group.id": group,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "log_level": 2,
    }


def message_line(message: Any) -> str:
    """One message for people, on one line; where it cannot be read, its raw bytes and why."""
    place = f"[partition {message.partition()}, offset {message.offset()}]"
    return f"{place} {readable(shortened(content_text(message), SHOWN_CHARACTERS))}"


def content_text(message: Acknowledgement) -> str:
    """What a message says, whatever it is; it may hold any character, see `readable`."""
    raw = message.value()
    if raw is None:
        reason = "no value"
    else:
        try:
            return telemetry_text(read_json(raw))
        except KeyError as error:
            reason = f"no field {error.args[0]}"
        except (ValueError, RecursionError):
            reason = "no readable JSON"
        except TypeError:
            reason = "no telemetry object"
    key, value = (part.decode(errors=ESCAPED_BYTES) for part in (message.key() or b"-", raw or b""))
    return f"{key} | ✗ malformed ({reason}): {value}"


def telemetry_text(record: Any) -> str:
    """A reading for people. Raises KeyError or TypeError where it is none."""
    metrics = record["metrics"]
    return (
        f"{record['device_id']} | {record['timestamp']} | Customer: {record['customer_id']}"
        f" | Energy: {energy_text(metrics['energy_kwh'])} kWh"
        f" | Voltage: {metrics['voltage']}V | Battery: {metrics['battery_pct']}%"
        f" | Status: {record['status']}"
    )


def next_offsets(messages: Iterable[Any]) -> list[TopicPartition]:
    """Where to go on after these messages, one entry a partition."""
    ends: dict[tuple[str, int], int] = {}
    for message in messages:
        ends[message.topic(), message.partition()] = message.offset() + 1
    return [TopicPartition(topic, partition, end) for (topic, partition), end in ends.items()]


class RewindOnce:
    """Rewinds each partition the first time it is assigned, and not when it comes back."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, int]] = set()

    def __call__(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        """Take over an assignment of partitions."""
        for partition in partitions:
            place = (partition.topic, partition.partition)
            if place not in self.seen:
                self.seen.add(place)
                partition.offset = OFFSET_BEGINNING
        consumer.assign(partitions)


def read(consumer: Any, most: int | None, screen: Screen, stop: StopFlag) -> int:
    """Print and commit round by round until stopped; the number of messages printed."""
    printed = 0
    while not stop.stopped and (most is None or printed < most):
        wanted = MESSAGES_A_ROUND if most is None else min(MESSAGES_A_ROUND, most - printed)
        messages = [checked(message) for message in consumer.consume(wanted, timeout=POLL_SECONDS)]
        screen.lines([message_line(message) for message in messages])
        if messages:
            commit(consumer, messages, screen)
        printed += len(messages)
    return printed


def checked(message: Any) -> Any:
    """The message itself. Raises RetriableError where the consumer reports an error instead."""
    if message.error() is None:
        return message
    raise RetriableError(
        "messages from Kafka", message.error().str(), "start the consumer again; it goes on here"
    )


def commit(consumer: Any, messages: Sequence[Any], screen: Screen) -> None:
    """Commit printed messages; where the group has moved on, they will be printed again."""
    try:
        consumer.commit(offsets=next_offsets(messages), asynchronous=False)
    except KafkaException as error:
        screen.line(f"✗ not committed, will be read again: {error.args[0].str()}")


def consume(settings: Settings, options: argparse.Namespace) -> int:
    """Run the consumer; the exit status."""
    servers, topic = options.kafka_bootstrap_servers, options.topic_name
    screen, stop = Screen(sys.stdout), StopFlag()
    screen.lines(banner(TITLE, {"Topic": topic, "Kafka": servers, "Group": options.group}))
    trouble = Trouble()
    broker = connection(settings, PEOPLE, servers) | {"error_cb": trouble.note}
    consumer = Consumer(broker | consumer_settings(options.group))
    try:
        check_topics(broker_metadata(consumer, servers, trouble), [topic])
        stop.listen()
        callbacks = {"on_assign": RewindOnce()} if options.from_beginning else {}
        consumer.subscribe([topic], **callbacks)
        screen.line("Waiting for messages... (Press Ctrl+C to stop)")
        printed = read(consumer, options.max_messages, screen, stop)
    finally:
        consumer.close()
    screen.line(f"Totals: {printed:,} messages printed and committed")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    try:
        settings = load_settings()
        return consume(settings, parser(settings).parse_args(arguments))
    except MeterhouseError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
