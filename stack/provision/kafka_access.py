"""Kafka's users and what each may do: kafka/access.tsv applied to a secure broker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from stack.base.errors import ConfigurationError, RetriableError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Secret, Settings
from stack.clients.kafka import USERS, client_options, passwords
from stack.provision.ready import ANSWER_SECONDS

ACCESS_FILE = PROJECT_ROOT / "kafka" / "access.tsv"
SCRAM_ITERATIONS = 8192
ANY_HOST = "*"


@dataclass(frozen=True, order=True)
class Rule:
    """One thing that one user may do.

    kind: topic, group or broker. name: ends in * where every name that begins so is meant.
    operation: as Kafka spells it, in lower case (read, write, describe, describe_configs, ...).
    """

    user: str
    kind: str
    name: str
    operation: str

    def binding(self) -> AclBinding:
        """The rule as Kafka keeps it. Raises KeyError for a word that Kafka does not know."""
        is_prefix = self.name.endswith("*") and self.name != "*"
        return AclBinding(
            ResourceType[self.kind.upper()],
            self.name.removesuffix("*") if is_prefix else self.name,
            ResourcePatternType.PREFIXED if is_prefix else ResourcePatternType.LITERAL,
            f"User:{self.user}",
            ANY_HOST,
            AclOperation[self.operation.upper()],
            AclPermissionType.ALLOW,
        )


def declared_rules() -> set[Rule]:
    """The lines of access.tsv. Raises ConfigurationError for one that Kafka could not keep."""
    rules = set()
    for number, line in enumerate(ACCESS_FILE.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("#") or not line.strip():
            continue
        try:
            rules |= rules_of(line)
        except (KeyError, ValueError) as error:
            raise ConfigurationError(
                f"one of {', '.join(USERS)}, then resource, name and operations, between tabs",
                f"{line!r} ({error})",
                f"fix line {number} of kafka/access.tsv",
            ) from error
    return rules


def rules_of(line: str) -> set[Rule]:
    """The rules of one line, one an operation. Raises ValueError or KeyError."""
    user, kind, name, operations = line.split("\t")
    if user not in USERS:
        raise ValueError(f"no user {user}")
    rules = {Rule(user, kind, name, operation) for operation in operations.split(",")}
    for rule in rules:
        rule.binding()
    return rules


def apply(settings: Settings, say: Callable[[str], None]) -> None:
    """Give each user its password and its rules, and take back what is no longer declared.

    Rules of users that are not ours stay. Does nothing where the stack is plain. Safe to run
    again. Raises RetriableError if the broker refuses.
    """
    if not settings.secure:
        return
    admin = AdminClient(client_options(settings))
    try:
        set_passwords(admin, passwords(settings))
        added, removed = set_rules(admin, {rule.binding() for rule in declared_rules()})
    except KafkaException as error:
        raise RetriableError(
            f"users {', '.join(USERS)} in Kafka at {settings.kafka_bootstrap_servers}",
            str(error.args[0]),
            "see the log of kafka, then run ./initial-setup.sh again",
        ) from error
    say(f"Kafka: {len(USERS)} users; rules added: {added}, taken back: {removed}")


def set_passwords(admin: AdminClient, known: Mapping[str, Secret]) -> None:
    """Let each user log in with the password that is known, and no other."""
    how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, SCRAM_ITERATIONS)
    changes: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user, how, known[user].encode()) for user in USERS
    ]
    finish(admin.alter_user_scram_credentials(changes, request_timeout=ANSWER_SECONDS).values())


def set_rules(admin: AdminClient, wanted: set[AclBinding]) -> tuple[int, int]:
    """Make our users' rules exactly these; how many were added and how many removed."""
    found = {
        binding
        for user in USERS
        for binding in admin.describe_acls(
            rules_filter(f"User:{user}"), request_timeout=ANSWER_SECONDS
        ).result()
    }
    missing, stale = wanted - found, found - wanted
    if missing:
        finish(admin.create_acls([*missing], request_timeout=ANSWER_SECONDS).values())
    if stale:
        filters = [exactly(binding) for binding in stale]
        finish(admin.delete_acls(filters, request_timeout=ANSWER_SECONDS).values())
    return len(missing), len(stale)


def rules_filter(principal: str) -> AclBindingFilter:
    """Every rule of one principal."""
    return AclBindingFilter(
        ResourceType.ANY,
        None,  # type: ignore[arg-type]  # any name; the stub says str
        ResourcePatternType.ANY,
        principal,
        None,  # type: ignore[arg-type]  # any name; the stub says str
        AclOperation.ANY,
        AclPermissionType.ANY,
    )


def exactly(binding: AclBinding) -> AclBindingFilter:
    """The filter that meets one rule and no other."""
    return AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )


def finish(futures: Iterable[Any]) -> None:
    """Wait for each answer. Raises KafkaException for the first refusal."""
    for future in futures:
        future.result()
