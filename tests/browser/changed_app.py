"""The explorer over a lakehouse that lacks something: its argument, `rows` or `models`.

Its own questions go to the real Trino, changed: for `rows` with `where false` around each, so that
the pages get the true columns and nothing in them; for `models` with names that no table has.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Mapping

from explorer import app, view
from explorer.lakehouse import Answer, Lakehouse, Problem
from explorer.queries import Query

TABLE = re.compile(r'\b((?:marts|staging|quality|intermediate|landing)\."?)(?=\w)')


def without_rows(sql: str) -> str:
    """The same question for no rows."""
    return f"select * from (\n{sql}\n) where false"


def without_models(sql: str) -> str:
    """The same question to tables that are not there."""
    return TABLE.sub(r"\1absent_", sql)


CHANGES = {"rows": without_rows, "models": without_models}


class ChangedLakehouse(Lakehouse):
    """Asks what the pages do not."""

    def ask(self, queries: Mapping[str, Query]) -> dict[str, Answer | Problem]:
        """The answers to the changed questions."""
        change = CHANGES[sys.argv[1]]
        changed = {
            name: dataclasses.replace(query, sql=change(query.sql))
            for name, query in queries.items()
        }
        return super().ask(changed)


setattr(view, "lakehouse", lambda: ChangedLakehouse(view.settings()))  # noqa: B010 (another type)
app.main()
