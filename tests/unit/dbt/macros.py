"""The project's macros as functions, rendered as dbt renders them but without a connection."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment

from stack.base.root import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "dbt-project" / "macros"
Macro = Callable[..., Any]


class Returned(Exception):  # noqa: N818 (no error)
    """What a macro returns, on its way past the rest of it."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def give_back(value: Any) -> None:
    """Be dbt's `return`."""
    raise Returned(value)


def macros(**given: Any) -> dict[str, Macro]:
    """Every macro by its name. given: other values of dbt's context."""
    environment = Environment(extensions=["jinja2.ext.do"])  # noqa: S701 (SQL, no HTML)
    environment.globals |= {
        "return": give_back,
        "modules": SimpleNamespace(
            datetime=datetime, pytz=SimpleNamespace(utc=datetime.UTC), re=re
        ),
        "tojson": json.dumps,
        "fromjson": json.loads,
        "var": lambda name, default=None: default,
        "env_var": lambda name, default=None: default,
        "flags": SimpleNamespace(EMPTY=False),
        **given,
    }
    found: dict[str, Macro] = {}
    for path in FOLDER.rglob("*.sql"):
        text = path.read_text("utf-8")
        if text.count("{% macro ") == 1 and "{% materialization" not in text:
            found[path.stem] = function_of(environment, path.stem, text)
    environment.globals |= {name: macro for name, macro in found.items() if name not in given}
    return found


def function_of(environment: Environment, name: str, text: str) -> Macro:
    """One macro as a function of what it returns, or else of its text."""

    def call(*arguments: Any, **named: Any) -> Any:
        macro = getattr(environment.from_string(text).module, name)
        try:
            return str(macro(*arguments, **named))
        except Returned as returned:
            return returned.value

    return call
