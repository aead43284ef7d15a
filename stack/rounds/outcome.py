"""What came of a round."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Result(Enum):
    """How a round ended."""

    OK = "ok"
    NOTHING_NEW = "nothing new"
    WAITING = "waiting for landing tables"
    SKIPPED = "skipped"
    FAILED = "failed"
    DIFFERENCE = "difference"
    STOPPED = "stopped"

    @property
    def is_good(self) -> bool:
        """Whether the tables show everything that had landed, and nothing is unaccounted for."""
        return self in {Result.OK, Result.NOTHING_NEW}

    @property
    def is_bad(self) -> bool:
        """Whether somebody has to look."""
        return self in {Result.FAILED, Result.DIFFERENCE}


@dataclass(frozen=True)
class ModelResult:
    """What came of one model. status: dbt's word; message: dbt's text, an error's in full."""

    name: str
    status: str
    seconds: float
    message: str

    @property
    def is_good(self) -> bool:
        """Whether its table is as it should be."""
        return self.status in {"success", "pass", "no-op"}

    @property
    def is_failed(self) -> bool:
        """Whether it was tried in vain; a model after it is skipped."""
        return not self.is_good and self.status != "skipped"


@dataclass(frozen=True)
class Outcome:
    """What came of a round. detail: first error, or who kept it from running."""

    result: Result
    detail: str = ""
    models: tuple[ModelResult, ...] = ()

    @property
    def text(self) -> str:
        """The result in one line."""
        detail = " ".join(self.detail.split())
        return f"{self.result.value}: {detail}" if detail else self.result.value

    @property
    def models_run(self) -> int:
        """How many models were tried."""
        return sum(model.status != "skipped" for model in self.models)

    @property
    def models_failed(self) -> int:
        """How many of them failed."""
        return sum(model.is_failed for model in self.models)


def outcome_of(models: tuple[ModelResult, ...], error: str) -> Outcome:
    """The outcome of a finished dbt command. error: what kept dbt itself from ending well."""
    failed = [model for model in models if model.is_failed]
    if failed:
        return Outcome(Result.FAILED, f"{failed[0].name}: {failed[0].message}", models)
    if error:
        return Outcome(Result.FAILED, error, models)
    return Outcome(Result.OK, models=models)
