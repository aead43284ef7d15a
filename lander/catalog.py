"""Open the Iceberg catalog with the lander's logins."""

from __future__ import annotations

from pyiceberg.catalog.sql import SqlCatalog
from sqlalchemy import URL

from stack.base.settings import Settings
from stack.clients import objectstore, postgres

CATALOG = "lakehouse"


def open_catalog(settings: Settings) -> SqlCatalog:
    """The Iceberg catalog in PostgreSQL that Trino's `iceberg` catalog reads too."""
    server = postgres.client(settings, postgres.LANDER)
    # A commit waits for another one's as long as that takes.
    limits = postgres.limits(statement_seconds=postgres.UNLIMITED)
    address = URL.create(
        "postgresql+psycopg2",
        username=server.role,
        password=str(server.password),
        host=server.host,
        port=server.port,
        database=postgres.CATALOG,
        query={"application_name": "lander"} | {name: str(limits[name]) for name in limits},
    )
    keys = objectstore.keys_of(settings, objectstore.LANDER)
    return SqlCatalog(
        CATALOG,
        **{
            "uri": address.render_as_string(hide_password=False),
            "pool_pre_ping": "true",
            "init_catalog_tables": "false",
            "warehouse": f"s3://{settings.s3_bucket}/warehouse",
            "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
            "s3.endpoint": settings.s3_endpoint,
            "s3.region": settings.s3_region,
            # No key at all: PyIceberg asks for those of the machine's role.
            "s3.access-key-id": keys.access_key,
            "s3.secret-access-key": str(keys.secret_key),
            "s3.force-virtual-addressing": "false",
            "s3.connect-timeout": "5",
            "s3.request-timeout": "20",
        },
    )
