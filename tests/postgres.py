"""PostgreSQL as its owner, for what tests look up and prepare there."""

from __future__ import annotations

from stack.base.settings import Settings
from stack.clients import postgres
from stack.clients.postgres import Session


def admin_connection(settings: Settings, database: str = postgres.ANY_DATABASE) -> Session:
    """A session of the owner's. Raises RetriableError if PostgreSQL does not answer."""
    return postgres.client(settings, postgres.OWNER).connect(
        database, "a test", statement_seconds=postgres.UNLIMITED
    )
