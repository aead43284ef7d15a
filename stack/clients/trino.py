"""How a Trino client of this project connects, and as whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import requests
from trino.auth import BasicAuthentication
from trino.exceptions import Error, HttpError

from stack.base.errors import ConfigurationError, RetriableError
from stack.base.settings import Secret, Settings

# What a question to Trino raises: its errors, no answer, or one that is none: a wrong password.
FAILURES = (Error, HttpError, requests.exceptions.RequestException)
SHOWN_PROBLEM = 200


def connection(settings: Settings, user: str) -> dict[str, Any]:
    """Arguments of trino.dbapi.connect: where Trino is, and a login where the stack is secure.

    Sessions are in UTC, not in the machine's own zone: current_date is the marts' day.
    Raises ConfigurationError for a user whose password is not in the settings.
    """
    where = {
        "host": settings.trino_host,
        "port": settings.trino_port,
        "user": user,
        "timezone": "UTC",
    }
    if not settings.secure:
        return where | {"http_scheme": "http"}
    session = requests.Session()
    # A certificate bundle named in the environment would win over ours.
    session.trust_env = False
    session.verify = str(settings.tls_ca_file)
    return where | {
        "http_scheme": "https",
        "http_session": session,
        "auth": BasicAuthentication(user, str(password_of(settings, user))),
    }


def tool_login(settings: Settings, arguments: Sequence[str]) -> dict[str, str]:
    """What lets Trino's command line log in as the operator without asking.

    Where the arguments name another user, it asks for that one's password.
    """
    if not settings.secure or any(word.startswith("--user") for word in arguments):
        return {}
    return {"TRINO_PASSWORD": str(settings.trino_operator_password)}


def address(settings: Settings) -> str:
    """Trino's address as browsers and the command line want it."""
    scheme = "https" if settings.secure else "http"
    return f"{scheme}://{settings.trino_host}:{settings.trino_port}"


def no_answer(settings: Settings, error: Exception) -> RetriableError:
    """The error of a question that Trino refused or did not answer; error: one of FAILURES."""
    return RetriableError(
        f"an answer from Trino at {address(settings)}",
        f"{type(error).__name__}: {error}"[:SHOWN_PROBLEM],
        "see ./initial-setup.sh status, start it with ./initial-setup.sh",
    )


def password_of(settings: Settings, user: str) -> Secret:
    """The password of one of the stack's own users. Raises ConfigurationError for another."""
    try:
        return passwords(settings)[user]
    except KeyError as error:
        raise ConfigurationError(
            f"a password of Trino's user {user}",
            f"those of {', '.join(passwords(settings))}",
            "log in as one of them; bin/stack password gives a person a password",
        ) from error


def passwords(settings: Settings) -> dict[str, Secret]:
    """The password of each user that a program of the stack logs in as."""
    return {
        "operator": settings.trino_operator_password,
        "dbt": settings.trino_dbt_password,
        "dbt-lock": settings.trino_dbt_password,
        # The same process as dbt's.
        "maintenance": settings.trino_dbt_password,
        "maintenance-lock": settings.trino_dbt_password,
        "explorer": settings.trino_explorer_password,
        "analyst": settings.trino_analyst_password,
        "health": settings.trino_health_password,
    }
