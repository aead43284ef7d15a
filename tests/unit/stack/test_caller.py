"""What of the caller's environment reaches the project's programs, their children and services."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stack.base import caller
from stack.base.root import PROJECT_ROOT
from stack.base.settings import load_settings
from stack.programs.supervision import python_service

# Each changed what a service, a client or a tool did, or would.
FOREIGN = {
    "DBT_TARGET": "dev",
    "DBT_EMPTY": "1",
    "PGOPTIONS": "-c search_path=nowhere",
    "PIP_USER": "1",
    "JAVA_TOOL_OPTIONS": "-Xmx1m",
    "JDK_JAVA_OPTIONS": "-Xmx1m",
    "KAFKA_HEAP_OPTS": "-Xmx1m",
    "AWS_PROFILE": "work",
    "PYTHONSTARTUP": "/nowhere",
    "PYICEBERG_CATALOG__LAKEHOUSE__URI": "sqlite://",
    "STREAMLIT_SERVER_PORT": "1",
    "COMPOSE_PROJECT_NAME": "other",
    "http_proxy": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
}


def test_what_no_list_names_is_gone() -> None:
    environ = {"HOME": "/home/ada", "TERM": "xterm", "KAFKA_PORT": "1234"} | FOREIGN
    caller.clear(environ)
    assert environ == {
        "HOME": "/home/ada",
        "TERM": "xterm",
        "KAFKA_PORT": "1234",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
    }


def test_downloads_reach_their_index_as_the_caller_does_and_nothing_else_does() -> None:
    environ = {"PIP_INDEX_URL": "https://index.example", "GOFLAGS": "-race"} | FOREIGN
    caller.clear(environ)
    with caller.downloading(environ):
        assert environ["http_proxy"] == "http://127.0.0.1:9"
        assert environ["PIP_INDEX_URL"] == "https://index.example"
        assert not {"PIP_USER", "GOFLAGS", "JAVA_TOOL_OPTIONS"} & set(environ)
    assert not {"http_proxy", "PIP_INDEX_URL"} & set(environ)


def test_a_service_knows_of_the_machine_and_of_its_settings_only() -> None:
    environ = {"PATH": "/bin", "TERM": "xterm", "DOCKER_HOST": "tcp://far:1"} | FOREIGN
    assert caller.service_environment(environ) == {
        "PATH": "/bin",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
    }
    settings = load_settings({})
    service = python_service("dbt", ["stack", "rounds"], settings, stop_seconds=1)
    assert service.environment == settings.environment()


def test_a_program_of_the_stack_sees_none_of_it(tmp_path: Path) -> None:
    code = "import os; from stack.base import caller; caller.clear(); print(sorted(os.environ))"
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT_ROOT)} | FOREIGN
    result = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "['LANG', 'LC_ALL', 'PATH']"


def test_an_index_that_uv_names_gets_its_login() -> None:
    environ = {"UV_INDEX_WORK_USERNAME": "ada", "UV_INDEX_WORK_PASSWORD": "secret"}
    caller.clear(environ)
    assert "UV_INDEX_WORK_USERNAME" not in environ
    assert caller.download_environment(environ)["UV_INDEX_WORK_PASSWORD"] == "secret"


def test_local_time_is_the_machines_as_in_the_logs_of_services() -> None:
    code = (
        "import time; from stack.base import caller; caller.clear(); "
        "print(time.localtime().tm_gmtoff)"
    )
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT_ROOT)}
    shown = [
        subprocess.run(
            [sys.executable, "-c", code], env=each, capture_output=True, text=True, check=True
        ).stdout
        for each in (environ | {"TZ": "XYZ+11:30"}, environ | {"TZ": "XYZ-11:30"})
    ]
    assert shown[0] == shown[1]


@pytest.mark.parametrize(
    "name",
    [
        "stack/__main__.py",
        "lander/__main__.py",
        "explorer/__main__.py",
        "explorer/kafka_alone.py",
        "simulator/launch.py",
        "simulator/master_data.py",
        "setup/demo_report.py",
    ],
)
def test_every_program_clears_its_environment_first(name: str) -> None:
    text = (PROJECT_ROOT / name).read_text(encoding="utf-8")
    assert re.search(r"caller\"?\)?\.clear\(\)", text)


def test_python_and_bash_variables_do_not_reach_the_tools(tmp_path: Path) -> None:
    """PYTHONHOME alone would keep Python from starting at all."""
    environ = {"PATH": os.environ["PATH"], "PYTHONHOME": "/nowhere", "PYTHONPATH": str(tmp_path)}
    (tmp_path / "argparse.py").write_text("raise SystemExit('found in PYTHONPATH')")
    result = subprocess.run(
        [PROJECT_ROOT / "bin" / "stack", "get", "PYTHON_VERSION"],
        env=environ | {"PYTHON_VERSION": "3.99"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.stdout.strip(), result.returncode) == ("3.99", 0), result.stderr
