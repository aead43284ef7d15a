"""What docs/compose.md, EC2-DEPLOYMENT.md and the systemd unit say agrees with the repository."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.base.root import PROJECT_ROOT
from stack.base.settings import EXAMPLE_FILE, parse_env_file
from stack.modes.engine import COMPOSE_FILE

COMPOSE_PAGE = PROJECT_ROOT / "docs" / "compose.md"
EC2_PAGE = PROJECT_ROOT / "EC2-DEPLOYMENT.md"
UNIT_FILE = PROJECT_ROOT / "setup" / "meterhouse.service"
PAGES = {page.name: page.read_text(encoding="utf-8") for page in (COMPOSE_PAGE, EC2_PAGE)}
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE_FILE.read_text())["services"]
EXAMPLE = parse_env_file(EXAMPLE_FILE)
ONE_SHOTS = {"postgres-init", "lakehouse-init"}

SETTING = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]*)(#[^)]*)?\)")
OWN_SUFFIXES = (".md", ".yml", ".sh", ".example")
# Objects in the store, whose alias is also the name of a folder here.
OBJECTS = "minio/lakehouse"
LANGUAGES = {"bash", "console", "json", ""}
# What a block that a test runs beside a running stack must not hold.
CHANGES = re.compile(
    r"\b(sudo|aws|prune|up|down|stop|restart|kill|reset|exec -it|--alter|--add-config)\b"
)


def blocks(text: str, language: str) -> list[str]:
    return [body for name, body in BLOCK.findall(text) if name == language]


def own_paths(text: str) -> set[str]:
    """The words of a page that name a file of the repository: in backticks, and in its commands."""
    folders = {path.name for path in PROJECT_ROOT.iterdir() if path.is_dir()}
    prose = BLOCK.sub("", text)
    words = re.findall(r"`([^`\s]+)`", prose)
    words += [word for _, body in BLOCK.findall(text) for word in body.split()]
    names = {word.removeprefix("./") for word in words if re.fullmatch(r"[\w./-]+", word)}
    own = {
        name
        for name in names
        if ("/" in name and name.split("/")[0] in folders) or name.endswith(OWN_SUFFIXES)
    }
    return {name for name in own if not name.startswith((OBJECTS, "/"))}


def megabytes(limit: str) -> int:
    """A memory limit of the compose file, settings filled in."""
    text = re.sub(r"\$\{(\w+):\?\}", lambda match: EXAMPLE[match[1]], limit)
    return int(text[:-1]) * {"m": 1, "g": 1024}[text[-1]]


def host_ports(service: dict[str, Any]) -> set[str]:
    names = re.findall(r"\$\{(\w+_PORT):\?\}:", " ".join(service.get("ports", [])))
    return {number for name in names for number in (name, EXAMPLE[name])}


def described() -> dict[str, list[str]]:
    """Container -> the cells after it in the page's table."""
    rows = re.findall(r"^\| `(.*) \|$", PAGES["compose.md"], re.MULTILINE)
    cells = [[cell.strip() for cell in f"`{row}".split("|")] for row in rows]
    found = {}
    for names, limits, *others in cells:
        for name, limit in zip(re.findall(r"`([a-z-]+)`", names), limits.split(","), strict=False):
            found[name] = [limit.strip(), *others]
    return found


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(UNIT_FILE.read_text(encoding="utf-8"))
    return parser


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_that_is_named_exists(page: str) -> None:
    known = EXAMPLE_FILE.read_text() + COMPOSE_FILE.read_text()
    assert set(SETTING.findall(PAGES[page])) - set(SETTING.findall(known)) == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_exists(page: str) -> None:
    named = own_paths(PAGES[page])
    assert named
    assert {name for name in named if not (PROJECT_ROOT / name).exists()} == set()


def test_a_file_that_does_not_exist_would_be_found() -> None:
    prose = "See `setup/nothing.sh`, `nothing.md`, `a/b` and `x/y:setup/theirs`.\n"
    assert own_paths(prose + "```bash\nbin/no\n```\n") == {
        "setup/nothing.sh",
        "nothing.md",
        "bin/no",
    }


@pytest.mark.parametrize("page", [COMPOSE_PAGE, EC2_PAGE], ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target, anchor in LINK.findall(PAGES[page.name]):
        file = page.parent / target if target else page
        assert file.is_file(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {
            "#" + re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings
        }
        assert not anchor or anchor in anchors, anchor


@pytest.mark.parametrize("page", PAGES)
def test_blocks_that_run_here_change_nothing(page: str) -> None:
    commands = blocks(PAGES[page], "bash")
    assert commands
    assert [found[0] for body in commands for found in CHANGES.finditer(body)] == []


@pytest.mark.parametrize("page", PAGES)
def test_blocks_that_run_here_are_bash(page: str) -> None:
    for body in blocks(PAGES[page], "bash"):
        result = subprocess.run(
            ["bash", "-n"], input=body, capture_output=True, text=True, check=False
        )
        assert result.stderr == ""


@pytest.mark.parametrize("page", PAGES)
def test_other_blocks_are_commands_with_a_prompt_or_data(page: str) -> None:
    assert {name for name, _ in BLOCK.findall(PAGES[page])} <= LANGUAGES
    for body in blocks(PAGES[page], "console"):
        assert body.startswith("$ ")
        assert all(line.startswith(("$ ", "  ")) for line in body.splitlines()), body
    for body in blocks(PAGES[page], "json"):
        json.loads(body)


def test_the_bucket_policy_allows_what_an_object_store_client_does() -> None:
    (policy,) = (json.loads(body) for body in blocks(PAGES["EC2-DEPLOYMENT.md"], "json"))
    allowed = {action for part in policy["Statement"] for action in part["Action"]}
    assert {"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"} <= allowed
    assert not [action for action in allowed if "*" in action or action.startswith("s3:DeleteB")]
    assert all("<BUCKET>" in part["Resource"] for part in policy["Statement"])


def test_the_table_of_containers_is_that_of_the_compose_file() -> None:
    table = described()
    assert set(table) == {service["container_name"] for service in SERVICES.values()}
    for service in SERVICES.values():
        limit, ports, networks, volume = table[service["container_name"]]
        assert limit.split()[0] == str(megabytes(service["mem_limit"]))
        assert set(re.findall(r"\w+", ports)) == host_ports(service)
        assert set(networks.split(", ")) == set(service["networks"])
        named = {each.split(":")[0] for each in service.get("volumes", []) if each[0] not in "./"}
        assert set(re.findall(r"[\w-]+", volume)) == named


def test_the_sums_of_the_limits_are_right() -> None:
    limits = {name: megabytes(service["mem_limit"]) for name, service in SERVICES.items()}
    running = sum(limit for name, limit in limits.items() if name not in ONE_SHOTS)
    always = running - limits["telemetry-simulator"]
    assert f"{always} MB together, {running} MB with the simulator" in PAGES["compose.md"]
    assert f"{always / 1024:g} GiB ({always} MB)" in PAGES["EC2-DEPLOYMENT.md"]


def test_every_image_has_its_section() -> None:
    headings = " ".join(re.findall(r"^## (.*)$", PAGES["compose.md"], re.MULTILINE))
    images = {re.sub(r"\$\{MINIO_IMAGE:-|:\$.*|:local", "", s["image"]) for s in SERVICES.values()}
    assert [image for image in sorted(images) if image not in headings] == []


def test_the_unit_waits_for_docker_and_the_settings() -> None:
    sections = unit()
    assert sections["Unit"]["Requires"] == "docker.service"
    assert "docker.service" in sections["Unit"]["After"].split()
    folder = sections["Service"]["WorkingDirectory"]
    assert sections["Unit"]["ConditionPathExists"] == f"{folder}/.env"
    assert sections["Service"]["Type"] == "oneshot"
    assert sections["Service"].getboolean("RemainAfterExit")
    assert sections["Install"]["WantedBy"] == "multi-user.target"


def test_the_unit_waits_for_health_and_stops_in_order() -> None:
    service = unit()["Service"]
    start, stop = service["ExecStart"].split(), service["ExecStop"].split()
    assert start[:3] == ["docker", "compose", "up"]
    assert {"--detach", "--wait", "--no-build"} <= set(start)
    # `down` would take the containers away, a profile left out would keep its own running.
    assert stop == ["docker", "compose", "--profile", '"*"', "stop"]


def test_the_units_time_limits_hold_those_of_compose() -> None:
    service = unit()["Service"]
    words = service["ExecStart"].split()
    wait = int(words[words.index("--wait-timeout") + 1])
    assert int(service["TimeoutStartSec"]) > wait
    # Those that do not depend on each other end at once, so the sum is more than ever needed.
    grace = [int(each.get("stop_grace_period", "10s")[:-1]) for each in SERVICES.values()]
    assert int(service["TimeoutStopSec"]) >= sum(grace)


def test_the_guide_installs_the_unit_with_its_folder_replaced() -> None:
    folder = unit()["Service"]["WorkingDirectory"]
    command = f'sed "s|{folder}|$PWD|g" setup/meterhouse.service'
    installed = [body for body in blocks(PAGES["EC2-DEPLOYMENT.md"], "console") if command in body]
    assert len(installed) == 1
    assert f"/etc/systemd/system/{UNIT_FILE.name}" in installed[0]


def test_the_page_on_images_stays_short() -> None:
    assert len(PAGES["compose.md"].splitlines()) < 200
