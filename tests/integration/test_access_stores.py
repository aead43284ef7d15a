"""Who may do what in PostgreSQL and in the object store: every login tries every action."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import psycopg2
import pytest
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException, S3Error

from minio import Minio
from stack.base.settings import Settings
from stack.clients import s3
from stack.clients.objectstore import DBT, LANDER, PEOPLE, TRINO, USERS, has_users, keys_of
from stack.provision import objectstore_access
from tests.integration.access import PERSONAL
from tests.integration.lakehouse import Lakehouse

ROLES = ("simulator", "trino", "dbt", "catalog")


def postgres(settings: Settings, role: str, database: str, statement: str) -> bool:
    """Whether PostgreSQL runs a statement for a role or refuses it for want of rights."""
    passwords = vars(settings)
    try:
        connection = psycopg2.connect(
            host=settings.postgres_host,
            port=settings.postgres_port,
            user=role,
            password=str(passwords[f"postgres_{role}_password"]),
            dbname=database,
        )
        with closing(connection):
            connection.cursor().execute(statement)
    except psycopg2.OperationalError as error:
        assert "permission denied for database" in str(error), error
        return False
    except psycopg2.errors.InsufficientPrivilege:
        return False
    return True


@pytest.mark.parametrize(
    ("database", "statement", "allowed"),
    [
        *(
            pytest.param(
                "meterhouse", f"select {column} from customer_master", {"trino"}, id=column
            )
            for column in PERSONAL
        ),
        pytest.param(
            "meterhouse",
            "select customer_id, customer_class, is_active from customer_master",
            {"simulator", "trino", "dbt"},
            id="what a customer is",
        ),
        pytest.param(
            "meterhouse",
            "select customer_id, tariff_code from customer_master",
            {"trino", "dbt"},
            id="tariffs",
        ),
        pytest.param(
            "meterhouse",
            "select * from device_master",
            {"simulator", "trino", "dbt"},
            id="meters",
        ),
        pytest.param("meterhouse", "select * from vee_rule", {"trino"}, id="rules"),
        pytest.param("meterhouse", "delete from vee_rule where false", set(), id="delete a rule"),
        pytest.param("meterhouse", "delete from device_master where false", set(), id="delete"),
        pytest.param(
            "meterhouse",
            "select from service_point, meter_installation, agreement, device_period",
            {"trino", "dbt"},
            id="meters by date",
        ),
        pytest.param(
            "meterhouse", "update agreement set end_date = null where false", set(), id="a move"
        ),
        pytest.param(
            "meterhouse",
            "select from device_period_change, known_device",
            {"trino", "dbt"},
            id="changes of meters",
        ),
        pytest.param(
            "meterhouse",
            "update customer_master set is_active = true where false",
            set(),
            id="update",
        ),
        pytest.param(
            "meterhouse",
            "select acknowledged from producer_reports",
            {"simulator", "dbt"},
            id="read what producers report",
        ),
        pytest.param(
            "meterhouse",
            "update producer_reports set acknowledged = 1 where false",
            {"simulator"},
            id="report what was acknowledged",
        ),
        pytest.param(
            "meterhouse",
            "delete from producer_reports where false",
            set(),
            id="take a report back",
        ),
        pytest.param(
            "meterhouse", "select restored_at from backups", {"dbt"}, id="read of backups"
        ),
        pytest.param("meterhouse", "delete from backups where false", set(), id="forget a backup"),
        pytest.param("meterhouse", "create table public.t (n integer)", set(), id="create"),
        pytest.param("meterhouse", "create temporary table t (n integer)", set(), id="temporary"),
        pytest.param(
            "iceberg_catalog",
            "select metadata_location from iceberg_tables",
            {"dbt", "catalog"},
            id="read the catalog",
        ),
        pytest.param(
            "iceberg_catalog",
            "update iceberg_tables set metadata_location = '' where false",
            {"catalog"},
            id="write the catalog",
        ),
        pytest.param(
            "iceberg_catalog",
            "select public.swap_metadata('staging', 'none', '', '')",
            {"dbt", "catalog"},
            id="swap a table's metadata",
        ),
        pytest.param(
            "iceberg_catalog",
            "select public.next_load(0)",
            {"dbt", "catalog"},
            id="number a load",
        ),
        pytest.param("postgres", "select 1", set(), id="the server's own database"),
    ],
)
def test_who_may_do_it_in_postgresql(
    settings: Settings, database: str, statement: str, allowed: set[str]
) -> None:
    assert {role for role in ROLES if postgres(settings, role, database, statement)} == allowed


@dataclass(frozen=True)
class Store:
    """The object store with one object under each prefix."""

    settings: Settings
    mark: str

    def client(self, user: str) -> Minio:
        """The store as one of its users meets it; `owner` is none of them."""
        if user == "owner":
            return s3.client(self.settings)
        return s3.client(self.settings, login=keys_of(self.settings, user))

    def may(self, user: str, verb: str, prefix: str, name: str = "") -> bool:
        """Whether a user may read, write, delete or list below a prefix."""
        store, bucket = self.client(user), self.settings.s3_bucket
        name = f"{prefix}/{name or f'{self.mark}/object'}"
        try:
            if verb == "read":
                store.get_object(bucket, name).read()
            elif verb == "write":
                store.put_object(bucket, name, io.BytesIO(b"x"), 1)
            elif verb == "delete":
                store.remove_object(bucket, name)
            else:
                list(store.list_objects(bucket, f"{prefix}/{self.mark}/"))
        except S3Error as error:
            if error.code == "AccessDenied":
                return False
            raise
        return True


PREFIXES = ("warehouse/landing", "warehouse/marts", "ready")


@pytest.fixture(scope="module")
def store(lakehouse: Lakehouse) -> Iterator[Store]:
    if not has_users(lakehouse.settings):
        pytest.fail(
            "this object store has one login for all; set OBJECT_STORE=minio", pytrace=False
        )
    made = Store(lakehouse.settings, uuid.uuid4().hex)
    yield made
    for prefix in PREFIXES:
        made.may("owner", "delete", prefix)


@pytest.mark.parametrize(
    ("verb", "prefix", "allowed"),
    [
        ("read", "warehouse/landing", {LANDER, TRINO}),
        ("write", "warehouse/landing", {LANDER, TRINO}),
        ("list", "warehouse/landing", {LANDER, TRINO, PEOPLE}),
        ("delete", "warehouse/landing", {LANDER, TRINO}),
        ("read", "warehouse/marts", {TRINO}),
        ("write", "warehouse/marts", {TRINO}),
        ("list", "warehouse/marts", {TRINO, PEOPLE}),
        ("delete", "warehouse/marts", {TRINO}),
        ("read", "ready", set()),
        ("write", "ready", set()),
        ("list", "ready", {PEOPLE}),
        ("delete", "ready", set()),
    ],
)
def test_who_may_do_it_in_the_object_store(
    store: Store, verb: str, prefix: str, allowed: set[str]
) -> None:
    store.may("owner", "write", prefix)
    assert {user for user in USERS if store.may(user, verb, prefix)} == allowed


@pytest.mark.parametrize("user", USERS)
def test_a_user_of_the_object_store_makes_no_bucket_and_no_user(store: Store, user: str) -> None:
    with pytest.raises(S3Error, match="AccessDenied"):
        store.client(user).make_bucket(f"access-{store.mark}")
    keys = keys_of(store.settings, user)
    admin = s3.admin(store.settings)
    admin._provider = StaticProvider(keys.access_key, str(keys.secret_key))
    with pytest.raises(MinioAdminException, match="AccessDenied"):
        admin.user_list()


@pytest.mark.parametrize(
    ("verb", "schema", "allowed"),
    [
        ("read", "landing", {LANDER, TRINO, DBT}),
        ("write", "landing", {LANDER, TRINO}),
        ("delete", "landing", {LANDER, TRINO}),
        ("read", "marts", {TRINO, DBT}),
        ("write", "marts", {TRINO, DBT}),
        ("delete", "marts", {TRINO, DBT}),
        ("read", "ops", {TRINO, DBT}),
        ("write", "ops", {TRINO}),
    ],
)
def test_who_may_do_it_to_metadata_files(
    store: Store, verb: str, schema: str, allowed: set[str]
) -> None:
    prefix = f"warehouse/{schema}"
    name = f"{store.mark}/metadata/00001-a.metadata.json"
    store.may("owner", "write", prefix, name)
    found = {user for user in USERS if store.may(user, verb, prefix, name)}
    store.may("owner", "delete", prefix, name)
    assert found == allowed


def test_users_made_again_keep_their_policies(store: Store) -> None:
    admin = s3.admin(store.settings)
    before = admin.user_info(PEOPLE)
    assert objectstore_access.apply(store.settings)
    assert ('"policyName":"people"' in before) and '"policyName":"people"' in admin.user_info(
        PEOPLE
    )
    assert store.may(PEOPLE, "list", "warehouse/marts")
