"""Command line of the lander: what the words ask for, and the service that does it."""

from __future__ import annotations

import argparse
import gc
import logging
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from lander.catalog import open_catalog
from lander.clock import SystemClock
from lander.consumer import KafkaReader
from lander.health import HEALTH_FILE
from lander.pending import Limits
from lander.service import LanderService
from lander.table import IcebergTable
from lander.topic_lander import TopicLander
from lander.topics import TOPICS_FOLDER, Topic, choose_topics, load_topics
from stack.base.errors import ConfigurationError
from stack.base.settings import Settings, load_settings
from stack.clients.kafka import LANDER, connection


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m lander",
        description="Land Kafka topics in Iceberg, each message exactly once.",
        epilog="Exit codes: 0 done or stopped; 1 failed; 2 misuse; "
        "3 Kafka no longer holds messages that have not landed.",
    )
    parser.add_argument("--topics", metavar="A,B", help="only these topics (all of lander/topics)")
    parser.add_argument(
        "--topics-folder",
        metavar="PATH",
        type=Path,
        default=TOPICS_FOLDER,
        help="read the topic files there (lander/topics)",
    )
    parser.add_argument(
        "--until-caught-up",
        action="store_true",
        help="land what Kafka gives to readers at the start, then exit; what an open transaction "
        "holds back is named, not waited for (runs until stopped)",
    )
    parser.add_argument(
        "--accept-loss",
        action="store_true",
        help="go on after messages were lost, and record the lost range (exits with code 3)",
    )
    return parser.parse_args(words)


def lander_for(topic: Topic, options: argparse.Namespace, settings: Settings) -> TopicLander:
    """The lander of one topic on the real Kafka and the real lakehouse."""
    return TopicLander(
        topic,
        KafkaReader(topic.name, connection(settings, LANDER)),
        IcebergTable(topic, partial(open_catalog, settings)),
        Limits(settings.landing_commit_seconds, settings.landing_commit_rows),
        SystemClock(),
        stop_at_end=options.until_caught_up,
        accept_loss=options.accept_loss,
    )


def spare_the_collector() -> None:
    """Look for cycles seldom: messages have none, and looking took a tenth of the time."""
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)
    gc.enable()


def main(words: Sequence[str]) -> int:
    """Run the lander; the process's exit code."""
    options = arguments(words)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("pyiceberg").setLevel(logging.WARNING)
    try:
        settings = load_settings()
        names = options.topics.split(",") if options.topics else []
        topics = choose_topics(load_topics(options.topics_folder), names)
    except ConfigurationError as error:
        logging.getLogger("lander").error("%s", error)
        return 2
    landers = [lander_for(topic, options, settings) for topic in topics]
    spare_the_collector()
    # A run until caught up may happen beside the service, whose health it must not overwrite.
    health_file = None if options.until_caught_up else settings.state_dir / HEALTH_FILE
    service = LanderService(landers, health_file, SystemClock())
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: service.stop())
    return service.run()
