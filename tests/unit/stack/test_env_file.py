"""The env file: made once, with passwords of its own, for its owner only."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from stack.__main__ import main
from stack.base import env_file
from stack.base.errors import ConfigurationError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import EXAMPLE_FILE, parse_env_file
from stack.modes import engine


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


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the env file in force; its stack keeps its data beside it."""
    path = tmp_path / ".env"
    monkeypatch.setenv("METERHOUSE_ENV", str(path))
    monkeypatch.setenv("PATH", str(tmp_path))
    return path


def copy_example(path: Path, **changes: str) -> None:
    """What a person makes who copies the example and changes some lines."""
    lines = EXAMPLE_FILE.read_text(encoding="utf-8").splitlines()
    named = {line.split("=")[0]: line for line in lines if "=" in line and line[0] != "#"}
    named |= {name: f"{name}={value}" for name, value in changes.items()}
    path.write_text("\n".join(named.values()) + "\n")


def test_a_copied_example_gets_passwords_and_keeps_its_ports(
    own_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy_example(own_file, KAFKA_PORT="29092", STATE_DIR=str(own_file.parent / "state"))
    own_file.chmod(0o644)
    assert main(["env"]) == 0
    values = parse_env_file(own_file)
    passwords = {values[name] for name in env_file.secret_names()}
    assert len(passwords) == len(env_file.secret_names())
    assert all(len(password) >= 32 for password in passwords)
    assert values["KAFKA_PORT"] == "29092"
    assert own_file.stat().st_mode & 0o777 == 0o600
    assert f"fresh passwords for the {len(passwords)} that were empty" in capsys.readouterr().out
    before = own_file.read_text()
    assert main(["env"]) == 0
    assert own_file.read_text() == before


def test_no_password_is_made_for_a_stack_that_has_data(
    own_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = own_file.parent / "state"
    (state / "data" / "postgres").mkdir(parents=True)
    copy_example(own_file, STATE_DIR=str(state))
    assert main(["env"]) == 1
    assert parse_env_file(own_file)["POSTGRES_PASSWORD"] == ""
    error = capsys.readouterr().err
    assert "POSTGRES_PASSWORD" in error
    assert "reset" in error


@pytest.mark.parametrize(
    ("answer", "expected"),
    [((0, "meterhouse_postgres"), True), ((0, ""), False), ((127, "no docker"), False)],
    ids=["volumes", "none", "no engine"],
)
def test_volumes_of_a_project_are_data(answer: tuple[int, str], expected: bool) -> None:
    assert engine.has_volumes("meterhouse", lambda command: answer) is expected


def test_a_new_file_keeps_what_the_environment_says(
    own_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exported = {"KAFKA_PORT": "29092", "OBJECT_STORE": "seaweedfs", "POSTGRES_PASSWORD": "mine"}
    for name, value in (exported | {"TRINO_DBT_PASSWORD": "", "OTHER": "x"}).items():
        monkeypatch.setenv(name, value)
    assert main(["env"]) == 0
    values = parse_env_file(own_file)
    assert exported.items() <= values.items()
    assert len(values["TRINO_DBT_PASSWORD"]) >= 32
    assert "OTHER" not in values
    said = "kept from the environment: KAFKA_PORT, OBJECT_STORE, POSTGRES_PASSWORD\n"
    assert said in capsys.readouterr().out


def test_a_file_that_is_there_keeps_its_own_values(
    own_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.create(own_file)
    monkeypatch.setenv("KAFKA_PORT", "29092")
    assert main(["env"]) == 0
    assert parse_env_file(own_file)["KAFKA_PORT"] == "19092"


def test_a_value_that_no_line_can_hold_is_refused(
    own_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD", "two\nlines")
    assert main(["env"]) == 1
    assert not own_file.exists()
    assert "POSTGRES_PASSWORD" in capsys.readouterr().err


def test_the_recipe_of_a_second_stack_moves_all_that_two_cannot_share(tmp_path: Path) -> None:
    page = (PROJECT_ROOT / "docs/operations.md").read_text("utf-8")
    section = page.split("## Beside another stack\n", 1)[1]
    command = section.split("```bash\n", 1)[1].split("./initial-setup.sh", 1)[0]
    (tmp_path / ".env.example").write_text(EXAMPLE_FILE.read_text("utf-8"))
    subprocess.run(["bash", "-c", command], cwd=tmp_path, env=os.environ, check=True)
    first, second = parse_env_file(EXAMPLE_FILE), parse_env_file(tmp_path / ".env.second")
    changed = {name for name in first if second[name] != first[name]}
    folders = {"PROJECT_NAME", "STATE_DIR", "BACKUP_DIR"}
    assert changed == folders | {name for name in first if re.search(r"_PORT$", name)}
    ports = changed - folders
    assert len({values[name] for values in (first, second) for name in ports}) == 2 * len(ports)
