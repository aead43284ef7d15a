"""The one way to ask Kafka: where it is, as whom, and what it holds of topics."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from confluent_kafka import (
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec
from confluent_kafka.admin._config import ConfigResource

from stack.base.errors import RetriableError
from stack.base.settings import Secret, Settings

Options: TypeAlias = dict[str, str | int | float | bool]

# The broker's own login, which may do everything; kafka/access.tsv says what the others may.
ADMIN = "admin"
LANDER, SIMULATOR, EXPLORER, TRINO, DBT, PEOPLE = USERS = (
    "lander",
    "simulator",
    "explorer",
    "trino",
    "dbt",
    "people",
)
SCRAM = "SCRAM-SHA-512"
# A message's time is the broker's, not its sender's: data that comes late is not old to retention,
# and of two messages of a partition the later one has the later time.
TIME_SETTING, BROKER_TIME = "message.timestamp.type", "LogAppendTime"
EARLIEST: OffsetSpec = OffsetSpec.earliest()
LATEST: OffsetSpec = OffsetSpec.latest()
GONE = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
WRITTEN, READABLE = IsolationLevel.READ_UNCOMMITTED, IsolationLevel.READ_COMMITTED


def connection(settings: Settings, user: str, servers: str = "") -> Options:
    """Where the broker is and how this user logs in there; no login where the stack is plain.

    user: ADMIN or one of USERS. servers: other than the settings' own.
    """
    options: Options = {
        "bootstrap.servers": servers or settings.kafka_bootstrap_servers,
        "broker.address.family": "v4",
    }
    return options | (login(settings, user) if settings.secure else {})


def login(settings: Settings, user: str) -> Options:
    """TLS with this stack's certificate, and a password.

    The administrator's is in the broker's configuration (PLAIN); the others' are kept by Kafka.
    """
    return {
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": str(settings.tls_ca_file),
        "sasl.mechanism": "PLAIN" if user == ADMIN else SCRAM,
        "sasl.username": user,
        "sasl.password": str(passwords(settings)[user]),
    }


def passwords(settings: Settings) -> dict[str, Secret]:
    """The password of each user."""
    return {
        ADMIN: settings.kafka_admin_password,
        LANDER: settings.kafka_lander_password,
        SIMULATOR: settings.kafka_simulator_password,
        EXPLORER: settings.kafka_explorer_password,
        TRINO: settings.kafka_trino_password,
        DBT: settings.kafka_dbt_password,
        PEOPLE: settings.kafka_people_password,
    }


class Administrator:
    """An AdminClient for a long life: one that a call failed with is given up for a new one.

    The old one may wait for a controller for ever after its broker was restarted.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self._client: AdminClient | None = None

    @contextmanager
    def client(self) -> Iterator[AdminClient]:
        """The client to ask, answers included. Kafka's failures go on to the caller."""
        client = self._client = self._client or AdminClient(self.options)
        try:
            yield client
        except KafkaException:
            self._client = None
            raise

    @contextmanager
    def asked(self) -> Iterator[AdminClient]:
        """The client to ask, answers included. Raises RetriableError where Kafka fails."""
        with answering(self.options["bootstrap.servers"]), self.client() as client:
            yield client


def offsets(
    admin: AdminClient,
    places: Iterable[TopicPartition],
    where: OffsetSpec,
    seconds: float,
    *,
    isolation: IsolationLevel = WRITTEN,
) -> dict[tuple[str, int], int]:
    """One offset of each partition, by topic and number; no places, no question.

    isolation: READABLE gives as LATEST how far readers of committed messages get, WRITTEN where the
    partition ends: an open transaction and all that follows it lies between. Raises KafkaException.
    """
    wanted = dict.fromkeys(places, where)
    if not wanted:
        return {}
    asked = admin.list_offsets(wanted, isolation_level=isolation, request_timeout=seconds)
    return {
        (place.topic, place.partition): int(answer.result().offset)
        for place, answer in asked.items()
    }


@dataclass(frozen=True)
class TopicFacts:
    """A topic as Kafka has it now; a recreated one has another id."""

    topic_id: str
    partitions: frozenset[int]


def describe(admin: AdminClient, topics: Collection[str], seconds: float) -> dict[str, TopicFacts]:
    """Those of the topics that are there. Raises KafkaException."""
    if not topics:
        return {}
    asked = admin.describe_topics(TopicCollection(list(topics)), request_timeout=seconds)
    found: dict[str, TopicFacts] = {}
    for name, answer in asked.items():
        try:
            told = answer.result()
        except KafkaException as error:
            if error.args[0].code() in GONE:
                continue
            raise
        numbers = frozenset(int(partition.id) for partition in told.partitions)
        found[name] = TopicFacts(str(told.topic_id), numbers)
    return found


def places_of(topics: Mapping[str, Iterable[int]]) -> list[TopicPartition]:
    """Every partition of the topics, by topic and number."""
    return [TopicPartition(name, number) for name in topics for number in topics[name]]


def configurations(
    admin: AdminClient, topics: Iterable[str], seconds: float
) -> dict[str, dict[str, str]]:
    """The settings of topics that are there. Raises KafkaException."""
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in topics]
    if not resources:
        return {}
    answers = admin.describe_configs(resources, request_timeout=seconds)
    return {
        resource.name: {name: entry.value for name, entry in answer.result().items()}
        for resource, answer in answers.items()
    }


@contextmanager
def answering(address: object) -> Iterator[None]:
    """Turn what Kafka's client raises into an error that says what to do."""
    try:
        yield
    except KafkaException as error:
        raise RetriableError(
            f"an answer from Kafka at {address}",
            reason(error),
            "see ./initial-setup.sh status, start it with ./initial-setup.sh",
        ) from error


def reason(error: BaseException) -> str:
    """A client's error in its own words."""
    first = error.args[0] if error.args else error
    text = getattr(first, "str", None)
    return str(text() if callable(text) else first)


class Trouble:
    """Why a client cannot reach its broker, as librdkafka last told it.

    Its `note` is the client's error_cb. A call that fails says only that time ran out.
    """

    def __init__(self) -> None:
        self.text = ""

    def note(self, error: KafkaError) -> None:
        """Remember the newest reason that says more than that all brokers are away."""
        if not self.text or error.code() != KafkaError._ALL_BROKERS_DOWN:
            self.text = error.str()


def client_options(settings: Settings, user: str = ADMIN) -> Options:
    """Options of a short-lived Kafka client that does not chatter while the broker is away."""
    return connection(settings, user) | {"log_level": 0}


def administrator(settings: Settings, user: str) -> Administrator:
    """The stack's Kafka as a user asks about it."""
    return Administrator(client_options(settings, user))
