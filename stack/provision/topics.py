"""Create the Kafka topics that kafka/topics.tsv declares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.cimpl import NewTopic

from stack.base.errors import ConfigurationError
from stack.base.root import PROJECT_ROOT
from stack.clients.kafka import BROKER_TIME, TIME_SETTING, configurations
from stack.provision.ready import ANSWER_SECONDS

COMPACTED = "; compacted: what has a newer message of its key may not land, which is no loss"
TOPICS_FILE = PROJECT_ROOT / "kafka" / "topics.tsv"


@dataclass(frozen=True)
class DeclaredTopic:
    """A topic as it is declared."""

    name: str
    partitions: int
    retention_ms: int


def declared_topics() -> list[DeclaredTopic]:
    """The lines of topics.tsv. Raises ConfigurationError for a line of another shape."""
    topics = []
    for number, line in enumerate(TOPICS_FILE.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("#") or not line.strip():
            continue
        try:
            name, partitions, retention_ms = line.split("\t")
            topics.append(DeclaredTopic(name, int(partitions), int(retention_ms)))
        except ValueError as error:
            raise ConfigurationError(
                "name, partitions and retention between tabs",
                repr(line),
                f"fix line {number} of kafka/topics.tsv",
            ) from error
    return topics


def create_topics(admin: AdminClient, say: Callable[[str], None]) -> None:
    """Create what is missing; say of each topic whether it was there.

    A topic that exists with other partitions is left as it is and named: adding partitions moves
    keys, so a person decides that.
    """
    existing = admin.list_topics(timeout=ANSWER_SECONDS).topics
    declared = declared_topics()
    compacted = compacted_of(admin, [each.name for each in declared if each.name in existing])
    for topic in declared:
        if topic.name not in existing:
            create(admin, topic)
            say(f"{topic.name}: created with {topic.partitions} partitions")
            continue
        use_broker_time(admin, topic)
        found = len(existing[topic.name].partitions)
        differs = f", declared are {topic.partitions}" if found != topic.partitions else ""
        gaps = COMPACTED if topic.name in compacted else ""
        say(f"{topic.name}: there, {found} partitions{differs}{gaps}")


def compacted_of(admin: AdminClient, names: Sequence[str]) -> set[str]:
    """Those of the topics of which Kafka keeps the newest message of each key only."""
    found = configurations(admin, names, ANSWER_SECONDS)
    return {name for name, settings in found.items() if "compact" in settings["cleanup.policy"]}


def create(admin: AdminClient, topic: DeclaredTopic) -> None:
    """Create one topic; one that another setup made meanwhile is as good."""
    options = {"retention.ms": str(topic.retention_ms), TIME_SETTING: BROKER_TIME}
    wanted = NewTopic(topic.name, topic.partitions, config=options)
    try:
        admin.create_topics([wanted])[topic.name].result()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def use_broker_time(admin: AdminClient, topic: DeclaredTopic) -> None:
    """Have a topic that is there take the broker's time for what comes from now on."""
    entry = ConfigEntry(TIME_SETTING, BROKER_TIME, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic.name, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result()
