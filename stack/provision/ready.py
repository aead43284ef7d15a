"""Wait until every service answers a real request: one meaning of `ready` for all callers."""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import requests
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from stack.base.errors import MeterhouseError, RetriableError
from stack.base.settings import Settings
from stack.clients import postgres, s3, trino
from stack.clients.kafka import Options, client_options

PROBE_TOPIC = "_ready"
PROBE_RETENTION_MS = 3_600_000
ANSWER_SECONDS = 5.0
PAUSE_SECONDS = 0.3
CATALOGS = ("iceberg", "postgresql", "kafka")
# The one table that is there before the first setup has ended.
A_TABLE_READ = "select 1 from postgresql.public.device_master limit 1"


@dataclass(frozen=True)
class Probe:
    """One service and the request that proves it; the request raises until it is served."""

    name: str
    ask: Callable[[Settings], None]


def ask_postgres(settings: Settings) -> None:
    """Log in over TCP and run a statement."""
    postgres.client(settings, postgres.OWNER).rows(postgres.ANY_DATABASE, "ready", "select 1")


def ask_kafka(settings: Settings) -> None:
    """Produce a record to a topic of our own and read that same record back."""
    connection = client_options(settings)
    create_probe_topic(AdminClient(connection))
    token = uuid.uuid4().bytes
    written = produce(connection, token)
    where = TopicPartition(PROBE_TOPIC, 0, written.offset() or 0)
    options = {"group.id": PROBE_TOPIC, "enable.auto.commit": False}
    with closing(Consumer(connection | options)) as consumer:
        consumer.assign([where])
        read = consumer.poll(ANSWER_SECONDS)
    if read is None or read.error() or read.value() != token:
        raise RetriableError("the record just written", "none", "look at the log of kafka")


def create_probe_topic(admin: AdminClient) -> None:
    """Create the probe's topic unless it exists."""
    topic = NewTopic(PROBE_TOPIC, 1, config={"retention.ms": str(PROBE_RETENTION_MS)})
    try:
        admin.create_topics([topic], request_timeout=ANSWER_SECONDS)[PROBE_TOPIC].result()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def produce(connection: Options, value: bytes) -> Message:
    """Write one record and return it with its offset."""
    written: list[Message] = []
    failed: list[KafkaError] = []

    def on_delivery(error: KafkaError | None, message: Message) -> None:
        failed.append(error) if error else written.append(message)

    limit = {"message.timeout.ms": int(ANSWER_SECONDS * 1000)}
    producer = Producer(connection | limit)
    producer.produce(PROBE_TOPIC, value, on_delivery=on_delivery)
    producer.flush(ANSWER_SECONDS)
    if not written:
        raise RetriableError("an acknowledged record", str(failed), "look at the log of kafka")
    return written[0]


def ask_objectstore(settings: Settings) -> None:
    """Write an object into the bucket, read it back and delete it."""
    s3.create_bucket(settings)
    store = s3.client(settings)
    name, content = f"ready/{uuid.uuid4()}", b"ready"
    store.put_object(settings.s3_bucket, name, io.BytesIO(content), len(content))
    answer = store.get_object(settings.s3_bucket, name)
    read = answer.read()
    answer.close()
    store.remove_object(settings.s3_bucket, name)
    if read != content:
        raise RetriableError("the object just written", repr(read), "look at the log of the store")


def ask_trino(settings: Settings) -> None:
    """Run a query, one in each catalog, and one that reads rows of a table.

    A Trino that has just started answers the first ones seconds before it has a node for the last:
    NO_NODES_AVAILABLE. Its node announces all catalogs at once, so one table is enough.
    """
    operator = trino.client(settings)
    for catalog in CATALOGS:
        operator.rows(f"show schemas from {catalog}")
    operator.rows(A_TABLE_READ)


def ask_explorer(settings: Settings) -> None:
    """Ask the explorer's page how it is."""
    ask_page(settings.explorer_port)


def ask_kafka_page(settings: Settings) -> None:
    """Ask the Kafka page of a native stack how it is."""
    ask_page(settings.kafka_ui_port)


def ask_page(port: int) -> None:
    """Ask Streamlit on this machine; it listens once its first questions were answered."""
    with requests.Session() as session:
        # A proxy named in the environment does not know this machine's ports.
        session.trust_env = False
        answer = session.get(f"http://localhost:{port}/_stcore/health", timeout=ANSWER_SECONDS)
        answer.raise_for_status()


POSTGRES = Probe("postgres", ask_postgres)
KAFKA = Probe("kafka", ask_kafka)
OBJECTSTORE = Probe("object store", ask_objectstore)
TRINO = Probe("trino", ask_trino)
ALL = (POSTGRES, KAFKA, OBJECTSTORE, TRINO)
PAGES = (Probe("explorer", ask_explorer), Probe("kafka-ui", ask_kafka_page))


def nothing_known(name: str) -> str:
    """No trouble that another program knows of."""
    return ""


def wait(
    settings: Settings,
    limit_seconds: float,
    say: Callable[[str], None],
    probes: Sequence[Probe] = ALL,
    trouble: Callable[[str], str] = nothing_known,
) -> None:
    """Ask each service until it answers; say so with the time it took.

    trouble: why a service cannot answer, by the probe's name; asked every ten seconds.
    Raises RetriableError with the last answer when the limit, shared by all, is reached, and with
    the trouble as soon as there is any.
    """
    started_at = time.monotonic()
    for probe in probes:
        wait_for_one(probe, settings, started_at, limit_seconds, say, trouble=trouble)
        say(f"{probe.name} answers ({time.monotonic() - started_at:.1f} s)")


def wait_for_one(
    probe: Probe,
    settings: Settings,
    started_at: float,
    limit_seconds: float,
    say: Callable[[str], None],
    *,
    trouble: Callable[[str], str],
) -> None:
    """Ask one service until it answers, telling every ten seconds what it said instead."""
    told_at = time.monotonic()
    while True:
        try:
            return probe.ask(settings)
        # A service that is not ready fails in ways of its own: the answer is shown, not judged.
        except Exception as error:
            problem = few_words(error)
        now = time.monotonic()
        if now - started_at > limit_seconds:
            raise no_answer(probe, limit_seconds, problem)
        if now - told_at >= 10:
            told_at = now
            if known := trouble(probe.name):
                raise no_answer(probe, limit_seconds, known)
            say(f"{probe.name} not yet ({now - started_at:.0f} s): {problem}")
        time.sleep(PAUSE_SECONDS)


def no_answer(probe: Probe, limit_seconds: float, found: str) -> RetriableError:
    """The error of a service that does not answer."""
    return RetriableError(
        f"an answer from {probe.name} within {limit_seconds:.0f} s",
        found,
        "see its log in the state folder, then run ./initial-setup.sh doctor",
    )


def few_words(error: Exception) -> str:
    """An error in a few words."""
    text = error.found if isinstance(error, MeterhouseError) else f"{type(error).__name__}: {error}"
    return text.strip().splitlines()[0][:160] if text.strip() else type(error).__name__
