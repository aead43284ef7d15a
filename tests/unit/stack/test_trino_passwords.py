"""Trino's password file: the stack's users follow the settings, people are added one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stack.base.errors import ConfigurationError
from stack.base.settings import Secret, Settings, load_settings
from stack.programs import tls_files
from stack.provision import passwords, security


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    changes = {
        f"TRINO_{user}_PASSWORD": f"{user.lower()}-secret"
        for user in ("OPERATOR", "DBT", "EXPLORER", "ANALYST", "HEALTH")
    }
    made = load_settings({"STATE_DIR": str(tmp_path), "SECURE": "true"} | changes)
    security.prepare(made, lambda text: None)
    return made


def test_a_password_is_hashed_as_rfc_6070_says() -> None:
    # Its fourth example: SHA-1, 4096 rounds, 20 bytes.
    kept = passwords.hashed("password", b"salt", 4096)
    assert kept == "4096:73616c74:4b007901b765489abead49d926f721d065a429c1"


def test_every_user_of_a_program_has_its_own_password(settings: Settings) -> None:
    lines = passwords.read(tls_files.files_of(settings).trino_passwords)
    assert set(lines) == {
        *("operator", "dbt", "dbt-lock", "maintenance", "maintenance-lock"),
        *("explorer", "analyst", "health"),
    }
    assert passwords.is_password(lines["dbt-lock"], "dbt-secret")
    assert not passwords.is_password(lines["analyst"], "operator-secret")
    assert "secret" not in tls_files.files_of(settings).trino_passwords.read_text()


def test_a_changed_password_changes_its_line_alone_and_people_stay(settings: Settings) -> None:
    password = passwords.give(settings, "analyst_ada")
    before = passwords.read(tls_files.files_of(settings).trino_passwords)
    passwords.ensure(replace(settings, trino_dbt_password=Secret("new")))
    after = passwords.read(tls_files.files_of(settings).trino_passwords)
    assert {user for user in after if after[user] != before[user]} == {
        *("dbt", "dbt-lock", "maintenance", "maintenance-lock"),
    }
    assert passwords.is_password(after["analyst_ada"], password)


@pytest.mark.parametrize("user", ["ada", "operator", "analyst_a:b", "dbt_ada", "analyst_"])
def test_only_people_of_a_known_role_get_a_password(settings: Settings, user: str) -> None:
    with pytest.raises(ConfigurationError, match="such as analyst_ada"):
        passwords.give(settings, user)


def test_a_plain_stack_gives_no_password_and_makes_no_file(
    settings: Settings, tmp_path: Path
) -> None:
    plain = replace(settings, secure=False, state_dir=tmp_path / "plain")
    with pytest.raises(ConfigurationError, match="--secure"):
        passwords.give(plain, "analyst_ada")
    assert security.prepare(plain, lambda text: None) is False
    assert not (tmp_path / "plain").exists()
