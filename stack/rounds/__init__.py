"""dbt on a schedule and by hand, one writer at a time."""

from __future__ import annotations

from stack.rounds.by_hand import run_dbt
from stack.rounds.service import run_rounds

__all__ = ["run_dbt", "run_rounds"]
