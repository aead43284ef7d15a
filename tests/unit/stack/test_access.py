"""The rules deny by default, and rules, policies, logins and configuration name the same."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
import yaml

from stack.base.root import PROJECT_ROOT
from stack.base.settings import Secret, Settings, load_settings
from stack.clients.objectstore import (
    DBT,
    LANDER,
    PEOPLE,
    TRINO,
    USERS,
    Keys,
    keys_of,
    secrets_of,
)
from stack.modes.engine import COMPOSE_FILE
from stack.programs import trino
from stack.provision import objectstore_access
from stack.writing.statements import WRITER_USER

RULES: dict[str, list[dict[str, Any]]] = json.loads(
    (trino.ETC / "access" / "rules.json").read_text(encoding="utf-8")
)
DENYING = {
    "catalogs": {"allow": "none"},
    "schemas": {"owner": False},
    "tables": {"privileges": [], "filter": "true"},
    "queries": {"allow": []},
    "system_session_properties": {"allow": False},
    "catalog_session_properties": {"allow": False},
    "system_information": {"allow": []},
    "impersonation": {"new_user": ".*", "allow": False},
}
PUBLIC = {
    "customer_id",
    "customer_class",
    "tariff_code",
    "city",
    "country_code",
    "is_active",
    "created_at",
    "updated_at",
}


def text(name: str) -> str:
    return (PROJECT_ROOT / name).read_text(encoding="utf-8")


def customer_rule() -> dict[str, Any]:
    (rule,) = (rule for rule in RULES["tables"] if rule.get("table") == "customer_master")
    return rule


@pytest.mark.parametrize("section", DENYING)
def test_the_last_rule_of_a_section_denies(section: str) -> None:
    assert RULES[section][-1] == DENYING[section]


@pytest.mark.parametrize("section", RULES)
def test_a_rule_for_everybody_denies(section: str) -> None:
    for_everybody = [rule for rule in RULES[section] if "user" not in rule]
    given = [rule.get("owner") or rule.get("privileges") for rule in for_everybody]
    assert not any(given)
    assert {str(rule.get("allow")) for rule in for_everybody} <= {"none", "False", "[]", "None"}


def test_functions_and_changes_of_owner_are_given_to_nobody() -> None:
    assert RULES["functions"] == []
    assert RULES["authorization"] == []


def test_who_only_reads_has_a_row_filter() -> None:
    # Trino runs table procedures for every reader of a table, unless a row filter is on it.
    bare = [
        rule
        for rule in RULES["tables"]
        if rule.get("catalog") != "system"
        and "OWNERSHIP" not in rule["privileges"]
        and rule.get("filter") != "true"
    ]
    assert [rule["user"] for rule in bare] == ["maintenance"]


def test_no_rule_lets_landing_be_written() -> None:
    names = {"operator", "dbt", "dbt_other", "maintenance", "analyst", "explorer", "dbt-lock"}
    for name in names:
        rule = first_match("tables", name, catalog="iceberg", schema="landing", table="x")
        assert set(rule["privileges"]) <= {"SELECT", "GRANT_SELECT"}, name


def test_only_models_hand_on_what_they_read_and_never_customers() -> None:
    """A definer view of theirs reads with their rights: the live marts do, of landing."""
    granting = [rule for rule in RULES["tables"] if "GRANT_SELECT" in rule["privileges"]]
    assert {rule["user"] for rule in granting} == {"dbt(_\\w+)?"}
    names = {"catalog": "postgresql", "schema": "public", "table": "customer_master"}
    assert first_match("tables", "dbt", **names)["privileges"] == ["SELECT"]


def first_match(section: str, user: str, **names: str) -> dict[str, Any]:
    """The rule that Trino takes: the first one whose patterns all match as a whole."""
    return next(
        rule
        for rule in RULES[section]
        if re.fullmatch(rule.get("user", ".*"), user)
        and all(re.fullmatch(rule.get(key, ".*"), name) for key, name in names.items())
    )


@pytest.mark.parametrize(
    "user",
    [
        "operator",
        WRITER_USER,
        f"{WRITER_USER}-lock",
        "dbt_other",
        "dbt_other-lock",
        "maintenance",
        "maintenance-lock",
        "analyst",
        "analyst_ada",
        "explorer",
        "health",
    ],
)
def test_a_principal_may_ask(user: str) -> None:
    rules = [rule for rule in RULES["queries"] if "queryOwner" not in rule]
    allowed = next(r["allow"] for r in rules if re.fullmatch(r.get("user", ".*"), user))
    assert "execute" in allowed


@pytest.mark.parametrize("user", ["", "root", "dbtx", "operators", "analyst-lock", "health_x"])
def test_a_name_that_is_no_principal_may_not_ask(user: str) -> None:
    assert first_match("queries", user)["allow"] == []
    assert first_match("catalogs", user, catalog="iceberg")["allow"] == "none"


def test_the_command_line_is_the_operator_and_the_check_is_health() -> None:
    assert "user=operator\n" in text("trino/etc/cli.properties")
    assert set(re.findall(r"X-Trino-User: (\w+)", text("trino/healthcheck.sh"))) == {"health"}


def test_every_column_of_a_customer_is_masked_or_known_to_be_public() -> None:
    sql = text("postgres-init/30_master_data.sql")
    table = sql.partition("public.customer_master (")[2].partition("\n);")[0]
    columns = set(re.findall(r"^    (\w+) (?:text|boolean|timestamptz)\b", table, re.MULTILINE))
    masked = {column["name"] for column in customer_rule()["columns"] if column["mask"]}
    assert columns == masked | PUBLIC


def test_no_role_but_trinos_is_granted_a_masked_column() -> None:
    sql = text("postgres-init/40_access.sql")
    masked = {column["name"] for column in customer_rule()["columns"]}
    granted = re.findall(r"grant select \(([^)]*)\)\s+on public.customer_master", sql)
    assert len(granted) == 2
    assert not masked & {name for names in granted for name in re.findall(r"\w+", names)}
    assert re.findall(r"grant select on public.customer_master to (.*);", sql) == ["trino"]


def settings(**changes: Any) -> Settings:
    secrets = {f"s3_{user}_secret_key": Secret(f"{user}-secret") for user in USERS}
    return replace(load_settings({}), **(secrets | {"s3_secret_key": Secret("owner's")} | changes))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Keys("lander", Secret("lander-secret"))),
        ({"object_store": "seaweedfs"}, Keys("meterhouse", Secret("owner's"))),
        ({"s3_access_key": ""}, Keys("", Secret(""))),
    ],
    ids=["minio", "seaweedfs", "amazon"],
)
def test_keys_are_the_users_own_where_the_store_has_users(
    changes: dict[str, Any], expected: Keys
) -> None:
    assert keys_of(settings(**changes), LANDER) == expected


class FakeStore:
    """MinIO's interface: remembers users, policies and which user has which."""

    def __init__(self) -> None:
        self.users: dict[str, str] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self.given: dict[str, str] = {}

    def policy_add(self, policy_name: str, policy: dict[str, Any]) -> None:
        """Make a policy."""
        self.policies[policy_name] = policy

    def user_add(self, access_key: str, secret_key: str) -> None:
        """Make a user."""
        self.users[access_key] = secret_key

    def policy_set(self, policy_name: str, user: str) -> None:
        """Give a user its policy."""
        assert policy_name in self.policies
        assert user in self.users
        self.given[user] = policy_name


def test_each_user_gets_its_own_key_and_policy() -> None:
    store = FakeStore()
    for _ in range(2):
        objectstore_access.apply_to(store, settings().s3_bucket, secrets_of(settings()))
    assert store.users == {user: f"{user}-secret" for user in USERS}
    assert store.given == {user: user for user in USERS}


def test_a_store_without_users_is_left_alone() -> None:
    assert not objectstore_access.apply(settings(object_store="seaweedfs"))


def resources(user: str) -> set[str]:
    statements = objectstore_access.policy(user, "my-bucket")["Statement"]
    return {
        resource.removeprefix("arn:aws:s3:::")
        for statement in statements
        for resource in statement["Resource"]
    }


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (LANDER, {"my-bucket", "my-bucket/warehouse/landing/*"}),
        (TRINO, {"my-bucket", "my-bucket/warehouse/*"}),
        (
            DBT,
            {
                "my-bucket/warehouse/*.metadata.json",
                *(
                    f"my-bucket/warehouse/{schema}/*.metadata.json"
                    for schema in ("staging", "quality", "intermediate", "marts")
                ),
            },
        ),
        (PEOPLE, {"my-bucket"}),
    ],
)
def test_a_policy_ends_at_its_prefix(user: str, expected: set[str]) -> None:
    assert resources(user) == expected


def test_containers_get_the_keys_of_their_own_user() -> None:
    services = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))["services"]
    environment = services["trino-coordinator"]["environment"]
    assert environment["S3_ACCESS_KEY"] == TRINO
    assert environment["S3_SECRET_KEY"] == "${S3_TRINO_SECRET_KEY:?}"
    assert "S3_SECRET_KEY" not in services["telemetry-lander"]["environment"]
    assert services["telemetry-lander"]["environment"].keys() >= {"S3_LANDER_SECRET_KEY"}


def test_both_modes_load_the_rules() -> None:
    name = "access-control.config-files"
    services = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))["services"]
    assert [word for word in services["trino-coordinator"]["command"] if name in word]
    environment = trino.catalog_environment(settings())
    assert environment["ACCESS_RULES_FILE"] == str(trino.ETC / "access" / "rules.json")
