"""Every Kafka user tries every action on the running broker; what is not allowed is denied."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property

import pytest
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConfigResource
from confluent_kafka.cimpl import NewTopic

from stack.base.settings import Settings
from stack.clients.kafka import ADMIN, USERS, client_options
from stack.provision import kafka_access

TELEMETRY, LOGS, PROBE = "telemetry_raw", "meter_logs", "_ready"
LANDING, OWN_GROUP, OTHER_GROUP = "lakehouse-landing", "telemetry-consumer-test", "somebody"
SECONDS = 15
DENIED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}
# A group that others are in refuses for that reason who is allowed to commit.
IN_USE = {KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION}


@dataclass(frozen=True)
class Client:
    """Kafka as one user meets it; each action raises KafkaException with the broker's answer."""

    settings: Settings
    user: str

    @property
    def options(self) -> dict[str, str | int | float | bool]:
        """How the user connects."""
        return client_options(self.settings, self.user)

    @cached_property
    def admin(self) -> AdminClient:
        """The user's administrator client."""
        return AdminClient(self.options)

    def describe(self, topic: str) -> None:
        """Ask for a topic's partitions."""
        found = self.admin.describe_topics(TopicCollection([topic]), request_timeout=SECONDS)
        found[topic].result()

    def describe_configuration(self, topic: str) -> None:
        """Ask for a topic's settings."""
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        self.admin.describe_configs([resource], request_timeout=SECONDS)[resource].result()

    def read(self, topic: str) -> None:
        """Read a message of a topic, in no group."""
        options = self.options | {"group.id": OWN_GROUP, "enable.auto.commit": False}
        with closing(Consumer(options)) as consumer:
            known = consumer.list_topics(topic, SECONDS).topics[topic]
            raise_for(known.error)
            places = [
                TopicPartition(topic, number, OFFSET_BEGINNING) for number in known.partitions
            ]
            consumer.assign(places)
            raise_for(first_of_topic(consumer).error())

    def write(self, topic: str) -> None:
        """Send a message to a topic."""
        told: list[KafkaError | None] = []
        producer = Producer(self.options)
        producer.produce(topic, b"{}", b"test", on_delivery=lambda error, _: told.append(error))
        producer.flush(SECONDS)
        (error,) = told
        raise_for(error)

    def look_at_group(self, group: str) -> None:
        """Ask where a group stands."""
        asked = [ConsumerGroupTopicPartitions(group)]
        self.admin.list_consumer_group_offsets(asked, request_timeout=SECONDS)[group].result()

    def commit(self, group: str) -> None:
        """Commit an offset for a group without being in it."""
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(LOGS, 0, 0)])
        answer = self.admin.alter_consumer_group_offsets([asked], request_timeout=SECONDS)
        for partition in answer[group].result().topic_partitions:
            if partition.error is not None and partition.error.code() not in IN_USE:
                raise KafkaException(partition.error)

    def create_topic(self) -> None:
        """Make a topic."""
        self.admin.create_topics([NewTopic("made-by-a-test", 1)], request_timeout=SECONDS)[
            "made-by-a-test"
        ].result()

    def delete_topic(self) -> None:
        """Delete a topic that the next readiness check makes again."""
        self.admin.delete_topics([PROBE], request_timeout=SECONDS)[PROBE].result()

    def make_rule(self) -> None:
        """Give oneself a right."""
        rule = kafka_access.Rule(self.user, "topic", "*", "all").binding()
        self.admin.create_acls([rule], request_timeout=SECONDS)[rule].result()


def first_of_topic(consumer: Consumer) -> Message:
    """The first message, or the first error that is not about the group, which is not asked."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        message = consumer.poll(1)
        error = message.error() if message else None
        if message and (error is None or error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED):
            return message
    raise AssertionError(f"neither a message nor an error within {SECONDS} s")


def raise_for(error: KafkaError | None) -> None:
    """Raise what the broker said in place of a message."""
    if error is not None:
        raise KafkaException(error)


def may(action: Callable[[Client], None], client: Client) -> bool:
    """Whether the broker lets a user do something; anything but a denial is raised."""
    try:
        action(client)
    except KafkaException as error:
        if error.args[0].code() in DENIED:
            return False
        raise
    return True


READERS = {"lander", "explorer", "trino", "dbt", "people"}
MATRIX: dict[str, tuple[Callable[[Client], None], set[str]]] = {
    "describe telemetry": (lambda c: c.describe(TELEMETRY), {*USERS}),
    "describe logs": (lambda c: c.describe(LOGS), {*USERS}),
    "describe another topic": (lambda c: c.describe(PROBE), {"explorer"}),
    "describe a configuration": (
        lambda c: c.describe_configuration(TELEMETRY),
        {"explorer", "dbt"},
    ),
    "read telemetry": (lambda c: c.read(TELEMETRY), READERS),
    "read logs": (lambda c: c.read(LOGS), READERS),
    "read another topic": (lambda c: c.read(PROBE), {"explorer"}),
    "write telemetry": (lambda c: c.write(TELEMETRY), {"simulator"}),
    "write logs": (lambda c: c.write(LOGS), {"simulator"}),
    "write another topic": (lambda c: c.write(PROBE), set()),
    "look at the lander's group": (lambda c: c.look_at_group(LANDING), {"lander", "explorer"}),
    "commit for the lander": (lambda c: c.commit(LANDING), {"lander"}),
    "commit for a consumer": (lambda c: c.commit(OWN_GROUP), {"people"}),
    "commit for another group": (lambda c: c.commit(OTHER_GROUP), set()),
    "create a topic": (Client.create_topic, set()),
    "delete a topic": (Client.delete_topic, set()),
    "make a rule": (Client.make_rule, set()),
}


@pytest.mark.parametrize("name", MATRIX)
def test_a_user_may_do_what_is_declared_and_nothing_else(settings: Settings, name: str) -> None:
    action, allowed = MATRIX[name]
    assert {user for user in USERS if may(action, Client(settings, user))} == allowed


def test_nobody_but_the_administrator_sees_rules(settings: Settings) -> None:
    # librdkafka gives the refusal as an empty answer.
    asked = kafka_access.rules_filter("User:lander")
    clients = [Client(settings, user) for user in (ADMIN, *USERS)]
    seen = {each.user: len(each.admin.describe_acls(asked).result()) for each in clients}
    assert seen == dict.fromkeys(USERS, 0) | {ADMIN: 6}


def test_a_rule_taken_out_of_the_file_is_taken_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = kafka_access.declared_rules()
    more = declared | {kafka_access.Rule("people", "topic", PROBE, "describe")}
    people = Client(settings, "people")

    def allowed() -> bool:
        return may(lambda client: client.describe(PROBE), people)

    monkeypatch.setattr(kafka_access, "declared_rules", lambda: more)
    kafka_access.apply(settings, lambda text: None)
    assert allowed()
    monkeypatch.setattr(kafka_access, "declared_rules", lambda: declared)
    said: list[str] = []
    kafka_access.apply(settings, said.append)
    assert said == ["Kafka: 6 users; rules added: 0, taken back: 1"]
    assert not allowed()


def test_a_changed_password_is_the_only_one_after_the_next_setup(settings: Settings) -> None:
    changed = replace(settings, kafka_people_password=type(settings.kafka_people_password)("new"))
    kafka_access.apply(changed, lambda text: None)
    assert may(lambda client: client.describe(LOGS), Client(changed, "people"))
    with pytest.raises(KafkaException):
        Client(settings, "people").admin.list_topics(timeout=3)
    kafka_access.apply(settings, lambda text: None)
    assert may(lambda client: client.describe(LOGS), Client(settings, "people"))
