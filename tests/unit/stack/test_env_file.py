"""The env file: made once, with passwords of its own, for its owner only."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.base import env_file
from stack.base.errors import ConfigurationError
from stack.base.settings import parse_env_file


def test_create_fills_every_password_differently(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    env_file.create(path)
    values = parse_env_file(path)
    passwords = [values[name] for name in env_file.secret_names()]
    assert len(set(passwords)) == len(passwords)
    assert all(len(password) >= 32 for password in passwords)


def test_create_makes_a_file_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    env_file.create(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_create_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("mine\n")
    assert env_file.create(path) is False
    assert path.read_text() == "mine\n"


def test_create_puts_in_what_differs(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    env_file.create(path, {"KAFKA_PORT": "29092"})
    assert parse_env_file(path)["KAFKA_PORT"] == "29092"


def test_check_names_an_empty_password(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    env_file.create(path)
    env_file.change(path, "S3_SECRET_KEY", "")
    with pytest.raises(ConfigurationError, match="S3_SECRET_KEY"):
        env_file.check(path)


def test_check_refuses_a_file_that_others_can_read(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    env_file.create(path)
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        env_file.check(path)


def test_complete_adds_what_an_older_file_lacks_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    env_file.create(path, {"KAFKA_PORT": "29092"})
    lines = path.read_text().splitlines()
    lacking = {"KAFKA_UI_PORT", "KAFKA_UI_PASSWORD"}
    path.write_text("\n".join(line for line in lines if line.split("=")[0] not in lacking))
    before = parse_env_file(path)
    assert set(env_file.complete(path)) == lacking
    after = parse_env_file(path)
    assert before.items() <= after.items()
    assert after["KAFKA_UI_PORT"] == "8080"
    assert len(after["KAFKA_UI_PASSWORD"]) >= 32
    assert env_file.complete(path) == []
