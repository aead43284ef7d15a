"""Number the runs of the models: each load is more than every earlier one, whatever clocks say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stack.writing.lock import WriterLock

# What macro next_load_id reads.
VARIABLE = "NEXT_LOAD"
# Setup makes the function; on an older stack models go by the clock until it has run.
CAN_COUNT_SQL = """
select coalesce(
    has_function_privilege(to_regprocedure('public.next_load(bigint)'), 'execute'), false
)
"""
NEXT_SQL = "select public.next_load(%s)"


def next_load(lock: WriterLock, recorded: int = 0) -> Mapping[str, str]:
    """The environment by which dbt knows the load of its next command; empty text for the clock.

    recorded: the newest load that a table tells of, where that is known. The number is taken over
    the session that holds the lock. Raises RetriableError if the lock is lost.
    """
    if not lock.rows(CAN_COUNT_SQL)[0][0]:
        return {VARIABLE: ""}
    return {VARIABLE: str(lock.rows(NEXT_SQL, [recorded])[0][0])}


def newest(told: Mapping[str, Mapping[str, Any]]) -> int:
    """The newest load that tables tell of, 0 for none."""
    return max((int(said.get("load_id", 0)) for said in told.values()), default=0)
