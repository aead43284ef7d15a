"""What the commands share: values that need a check, and options of Kafka and of outputs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from simulator.clock import parse_duration
from simulator.faults import parse_faults
from stack.base.errors import ConfigurationError
from stack.base.settings import Settings

Result = TypeVar("Result")


def positive_count(text: str) -> int:
    """A whole number above zero."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above zero")
    return int(text)


def share(text: str) -> float:
    """A number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1")
    return number


def checked(parse: Callable[[str], Result]) -> Callable[[str], Result]:
    """A parser whose ConfigurationError becomes argparse's own usage error (exit 2)."""

    def parse_argument(text: str) -> Result:
        try:
            return parse(text)
        except ConfigurationError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse_argument


duration = checked(parse_duration)
fault_rates = checked(parse_faults)


def add_kafka(group: argparse.ArgumentParser, settings: Settings) -> None:
    """Where readings go to, or come from."""
    group.add_argument(
        "--kafka-bootstrap-servers",
        default=settings.kafka_bootstrap_servers,
        metavar="HOST:PORT",
        help="KAFKA_BOOTSTRAP_SERVERS, %(default)s",
    )
    group.add_argument(
        "--topic-name",
        default=settings.topic_name,
        metavar="TOPIC",
        help="topic of readings (TOPIC_NAME, %(default)s)",
    )


def add_outputs(group: argparse.ArgumentParser) -> None:
    """Files that a run leaves."""
    group.add_argument(
        "--truth",
        type=Path,
        metavar="FILE",
        help="JSON lines of what really happened (a file in STATE_DIR/truth)",
    )
    group.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="JSON of what was sent and acknowledged, with a content hash",
    )
