"""What people see of customers, and of each other's queries, in Trino."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
import requests

from stack.base.settings import Settings
from tests.integration.access import (
    ANSWER_SECONDS,
    LOCKS,
    OPERATOR,
    PERSONAL,
    PRINCIPALS,
    READERS,
    WRITERS,
    Access,
    fill,
)
from tests.integration.lakehouse import Lakehouse
from tests.postgres import admin_connection
from trino import exceptions

CUSTOMERS = "postgresql.public.customer_master"
ENDLESS = """
select sum(a.n * b.n + c.n) from unnest(sequence(1, 10000)) as a (n)
cross join unnest(sequence(1, 10000)) as b (n) cross join unnest(sequence(1, 10000)) as c (n)
"""


@pytest.fixture(scope="module")
def access(lakehouse: Lakehouse) -> Access:
    fill(lakehouse)
    return Access(lakehouse.settings, uuid.uuid4().hex)


def customers(settings: Settings) -> dict[str, list[str | None]]:
    """Names and contacts by customer, as PostgreSQL's owner sees them."""
    statement = f"select customer_id, {', '.join(PERSONAL)} from customer_master"
    with closing(admin_connection(settings, "meterhouse")) as connection:
        cursor = connection.cursor()
        cursor.execute(statement)
        return {customer_id: values for customer_id, *values in cursor.fetchall()}


def masked(column: str, value: str | None) -> str:
    """What everybody but the operator sees of a name or contact."""
    return f"{str(value)[:2]}***" if column == "postcode" else "***"


PLACES = (
    (CUSTOMERS, PERSONAL),
    ("iceberg.staging.stg_customers", ("customer_name", "postcode")),
)


@pytest.mark.parametrize("principal", sorted(OPERATOR | WRITERS | READERS))
@pytest.mark.parametrize(("table", "columns"), PLACES, ids=["master data", "staging"])
def test_names_and_contacts_are_the_operators(
    access: Access, principal: str, table: str, columns: tuple[str, ...]
) -> None:
    rows = access.ask(principal, f"select customer_id, {', '.join(columns)} from {table}")
    expected = {
        customer_id: [
            value if principal == "operator" else masked(column, value)
            for column, value in zip(PERSONAL, values, strict=True)
            if column in columns
        ]
        for customer_id, values in customers(access.settings).items()
    }
    assert {customer_id: values for customer_id, *values in rows} == expected


@pytest.mark.parametrize("principal", sorted(WRITERS | READERS))
def test_a_name_cannot_be_guessed_by_a_condition(access: Access, principal: str) -> None:
    name = next(iter(customers(access.settings).values()))[0]
    quoted = str(name).replace("'", "''")
    statement = f"select count(*) from {CUSTOMERS} where customer_name = '{quoted}'"
    assert access.ask(principal, statement) == [[0]]
    assert access.ask("operator", statement) != [[0]]


def test_no_table_of_the_lakehouse_stores_a_name_or_contact(access: Access) -> None:
    names = ", ".join(f"'{column}'" for column in PERSONAL)
    found = access.ask(
        "operator",
        "select distinct table_schema, table_name from iceberg.information_schema.columns "
        f"where column_name in ({names})",
    )
    assert found == [["staging", "stg_customers"]]
    views = "select table_name from iceberg.information_schema.views"
    assert ["stg_customers"] in access.ask("operator", views)


@pytest.mark.parametrize("table", [CUSTOMERS, "iceberg.staging.stg_customers"])
def test_a_view_of_the_models_hands_no_customer_on(access: Access, table: str) -> None:
    view = f"iceberg.ops.handed_on_{uuid.uuid4().hex}"
    access.ask("dbt", f"create view {view} security definer as select customer_id from {table}")
    try:
        assert not access.may("analyst", f"select customer_id from {view}")
    finally:
        access.ask("dbt", f"drop view {view}")


@pytest.fixture
def running(access: Access) -> Iterator[str]:
    """The id of a statement of dbt's that goes on until somebody ends it."""
    mark = uuid.uuid4().hex
    thread = threading.Thread(target=run_to_its_end, args=(access, f"{ENDLESS} -- {mark}"))
    thread.start()
    query_id = find_query(access, mark)
    yield query_id
    with suppress(exceptions.Error):
        access.ask("operator", kill(query_id))
    thread.join(ANSWER_SECONDS)


def run_to_its_end(access: Access, sql: str) -> None:
    with suppress(exceptions.Error):
        access.ask("dbt", sql)


def kill(query_id: str) -> str:
    return f"call system.runtime.kill_query(query_id => '{query_id}', message => 'test')"


def find_query(access: Access, mark: str) -> str:
    end = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < end:
        found = access.ask(
            "operator",
            "select query_id from system.runtime.queries where \"user\" = 'dbt' "
            f"and state = 'RUNNING' and query like '%{mark}'",
        )
        if found:
            return str(found[0][0])
    raise AssertionError("the statement did not start")


def test_a_query_is_seen_by_its_user_the_locks_and_the_operator(
    access: Access, running: str
) -> None:
    statement = f"select 1 from system.runtime.queries where query_id = '{running}'"
    principals = [*OPERATOR, *READERS, *LOCKS, "dbt_project-lock"]
    # Whichever writer takes the lock ends what a dead one left, dbt's or maintenance's.
    seers = {"operator", *LOCKS}
    assert {each for each in principals if access.ask(each, statement)} == seers
    statuses = {
        each: access.request("GET", f"/v1/query/{running}", each).status_code for each in PRINCIPALS
    }
    assert {each for each, status in statuses.items() if status == 200} == {"dbt", *seers}


def test_a_query_is_ended_by_nobody_elses_hand(access: Access, running: str) -> None:
    for principal in [*READERS, "dbt_project-lock"]:
        assert not access.may(principal, kill(running)), principal
    for principal in set(PRINCIPALS) - {"operator", "dbt", *LOCKS}:
        answer = access.request("DELETE", f"/v1/query/{running}", principal)
        assert answer.status_code == 403, principal
    assert access.may("dbt-lock", kill(running))


def test_nobody_shuts_trino_down_from_afar(access: Access) -> None:
    for principal in PRINCIPALS:
        answer = access.request("PUT", "/v1/info/state", principal, json="SHUTTING_DOWN")
        assert answer.status_code == 403, principal


@pytest.mark.parametrize("principal", ["analyst", "dbt", "stranger"])
def test_nobody_acts_for_the_operator(access: Access, principal: str) -> None:
    # Without passwords a name is a claim; one's own and another's name together are refused.
    headers = {"X-Trino-User": "operator", "X-Trino-Original-User": principal}
    answer = access.request("POST", "/v1/statement", principal, headers=headers, data="select 1")
    while "nextUri" in answer.json():
        address = answer.json()["nextUri"]
        answer = requests.get(address, headers=headers, timeout=ANSWER_SECONDS)
    assert "cannot impersonate user operator" in answer.json()["error"]["message"]
