"""Find out whether Docker Compose can run the stack, and choose the mode. Standard library only."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stack.base.errors import ConfigurationError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import COMPOSE, NATIVE, Settings

OLDEST_COMPOSE = (2, 24)
OLDEST_ENGINE = (20, 10)
ANSWER_SECONDS = 20.0
COMPOSE_FILE = PROJECT_ROOT / "docker-compose.yml"
CONTAINER_NAME = re.compile(r"container_name: (\S+)")
MODES = {"": None, NATIVE: NATIVE, COMPOSE: COMPOSE}

Ask = Callable[[Sequence[str]], tuple[int, str]]


@dataclass(frozen=True)
class Engine:
    """A container engine as far as it can be used.

    problem: why it cannot, empty if it can. memory_gb: what containers may use.
    """

    found: str
    problem: str = ""
    memory_gb: float = 0.0


def ask(command: Sequence[str]) -> tuple[int, str]:
    """Exit code and output of a command; 127 where there is no such program."""
    if shutil.which(command[0]) is None:
        return 127, f"no {command[0]} on this machine"
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return 124, f"no answer within {ANSWER_SECONDS:.0f} s"
    return result.returncode, (result.stdout or result.stderr).strip()


def version(text: str) -> tuple[int, ...]:
    """The first version number in a text, such as (2, 26); empty if there is none."""
    match = re.search(r"(\d+)\.(\d+)", text)
    return tuple(map(int, match.groups())) if match else ()


def look(ask: Ask = ask) -> Engine:
    """The engine that `docker` reaches, with its Compose."""
    code, compose = ask(["docker", "compose", "version", "--short"])
    if code != 0:
        return Engine("none", without_compose(ask))
    if version(compose) < OLDEST_COMPOSE:
        return Engine(f"Compose {compose}", "Docker Compose 2.24 or newer is needed")
    code, answer = ask(["docker", "info", "--format", "{{json .}}"])
    info = parsed(answer)
    if code != 0 or not info.get("ServerVersion"):
        errors = info.get("ServerErrors") or [answer.splitlines()[-1] if answer else "silence"]
        return Engine(f"Compose {compose}, no engine", f"no engine answers: {errors[0]}")
    found = f"Docker {info['ServerVersion']} with Compose {compose}"
    if version(info["ServerVersion"]) < OLDEST_ENGINE:
        return Engine(found, "Docker Engine 20.10 or newer is needed")
    return Engine(found, memory_gb=info.get("MemTotal", 0) / 1e9)


def without_compose(ask: Ask) -> str:
    """What is missing where `docker compose` does not answer."""
    code, answer = ask(["docker-compose", "version", "--short"])
    if code == 0:
        return f"docker-compose {answer} (v1) is too old: Docker Compose 2.24 or newer is needed"
    code, answer = ask(["docker", "--version"])
    if code == 0:
        return "docker has no Compose plugin: Docker Compose 2.24 or newer is needed"
    return answer


def parsed(text: str) -> dict[str, Any]:
    """A JSON object; empty for anything else."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def published_ports(project: str, ask: Ask = ask) -> set[int]:
    """The host ports of a Compose project's containers."""
    label = f"label=com.docker.compose.project={project}"
    _, answer = ask(["docker", "ps", "--filter", label, "--format", "{{.Ports}}"])
    spans = re.findall(r":(\d+)(?:-(\d+))?->", answer)
    return {number for first, last in spans for number in range(int(first), int(last or first) + 1)}


def has_volumes(project: str, ask: Ask = ask) -> bool:
    """Whether an engine keeps volumes of a Compose project."""
    label = f"label=com.docker.compose.project={project}"
    code, answer = ask(["docker", "volume", "ls", "--quiet", "--filter", label])
    return code == 0 and bool(answer)


def foreign_containers(project: str, ask: Ask = ask) -> list[str]:
    """Containers that have one of our names and belong to another project or to none."""
    shown = '{{.Names}} {{.Label "com.docker.compose.project"}}'
    _, answer = ask(["docker", "ps", "--all", "--format", shown])
    named = [line.split() for line in answer.splitlines()]
    ours = set(container_names())
    return sorted(name for name, *owner in named if name in ours and owner != [project])


def container_names() -> list[str]:
    """The names that docker-compose.yml gives its containers, in its order."""
    return CONTAINER_NAME.findall(COMPOSE_FILE.read_text(encoding="utf-8"))


def choose(settings: Settings, look: Callable[[], Engine] = look) -> tuple[str, str]:
    """The mode to run in, and why.

    Raises ConfigurationError where Compose is wanted and cannot be had, or for an unknown mode.
    """
    if settings.run_mode not in MODES:
        raise ConfigurationError(
            "RUN_MODE as native, compose or nothing", repr(settings.run_mode), "change it in .env"
        )
    if settings.run_mode == NATIVE:
        return NATIVE, "as asked for by --native or RUN_MODE"
    engine = look()
    if settings.run_mode == COMPOSE and engine.problem:
        raise ConfigurationError(
            "Docker Engine with Docker Compose 2.24 or newer",
            engine.problem,
            "fix that, or run natively: ./initial-setup.sh --native",
        )
    if settings.run_mode == COMPOSE:
        return COMPOSE, f"as asked for by --compose or RUN_MODE; {engine.found}"
    if engine.problem:
        return NATIVE, engine.problem
    return COMPOSE, f"{engine.found} answers; --native does without"
