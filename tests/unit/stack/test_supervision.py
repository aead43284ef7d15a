"""The supervisor's configuration holds what a service needs, whatever is in its words."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from supervisor.datatypes import RestartUnconditionally, RestartWhenExitUnexpected
from supervisor.options import ServerOptions

from stack.base.settings import load_settings
from stack.programs.paths import paths_of
from stack.programs.service import Service
from stack.programs.supervision import program_section, supervisor_section

HEADER = "[supervisord]\n\n"
FOLDERS = ["ü", "a%2Fb", "%(here)s", "a b", "it's", "#1", "a;b", "x=y", "日本 🙂"]


def read_back(service: Service, tmp_path: Path) -> Any:
    """Let supervisor itself read the section."""
    path = tmp_path / "supervisord.conf"
    path.write_text(HEADER + program_section(service, tmp_path))
    options = ServerOptions()
    options.configfile = str(path)
    options.process_config(do_usage=False)
    return options.process_group_configs[0].process_configs[0]


@pytest.mark.parametrize(
    "value",
    ["plain", "with space", 'quote"inside', "comma,inside", "percent%d", "back\\slash"],
)
def test_an_environment_value_survives(value: str, tmp_path: Path) -> None:
    service = Service("a", ["/bin/true"], tmp_path, environment={"NAME": value})
    assert read_back(service, tmp_path).environment["NAME"] == value


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_of_any_accepted_name_survive(name: str, tmp_path: Path) -> None:
    """The name of a log file is expanded twice by supervisor, everything else once."""
    folder = tmp_path / name
    (folder / "logs").mkdir(parents=True)
    program = folder / "bin" / "program"
    service = Service("a", [str(program)], folder, environment={"FILE": str(folder)})
    path = folder / "supervisord.conf"
    paths = replace(paths_of(load_settings({})), state=folder)
    settings = load_settings({"STATE_DIR": str(folder)})
    path.write_text(supervisor_section(settings, paths) + program_section(service, folder / "logs"))
    options = ServerOptions()
    options.realize(["-c", str(path)])
    read = options.process_group_configs[0].process_configs[0]
    assert shlex.split(read.command) == [str(program)]
    assert read.directory == str(folder)
    assert read.environment["FILE"] == str(folder)
    assert read.stdout_logfile == str(folder / "logs" / "a.log")
    assert options.logfile == str(folder / "logs" / "supervisord.log")
    assert options.pidfile == str(folder / "supervisord.pid")
    assert options.childlogdir == str(folder / "logs")


def test_a_changed_file_makes_another_entry_and_a_cache_does_not(tmp_path: Path) -> None:
    code = tmp_path / "code"
    module, cache = code / "module.py", code / "__pycache__" / "module.pyc"
    cache.parent.mkdir(parents=True)
    module.write_text("first")
    service = Service("a", ["/bin/true"], tmp_path, files=[code])
    first = program_section(service, tmp_path)

    cache.write_text("made by Python")
    assert program_section(service, tmp_path) == first
    module.write_text("second")
    assert program_section(service, tmp_path) != first


def test_a_command_with_blanks_and_percent_signs_survives(tmp_path: Path) -> None:
    service = Service("a", ["/bin/echo", "a b", "100%"], tmp_path)
    assert read_back(service, tmp_path).command == "/bin/echo 'a b' 100%"


def test_a_service_is_started_again_whatever_its_exit_code(tmp_path: Path) -> None:
    read = read_back(Service("a", ["/bin/true"], tmp_path), tmp_path)
    assert read.autorestart is RestartUnconditionally


def test_a_final_exit_code_ends_a_service_for_good(tmp_path: Path) -> None:
    read = read_back(Service("a", ["/bin/true"], tmp_path, final_exit_code=3), tmp_path)
    assert (read.autorestart, read.exitcodes) == (RestartWhenExitUnexpected, [3])
