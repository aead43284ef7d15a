"""The image that all stand-ins begin with: Debian's base system, made of packages by themselves."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.standins import debian, docker, host_settings
from tests.standins.command import say
from tests.standins.engine import Engine
from tests.standins.programs import SUITE

FOLDER = Path(__file__).parent / "images" / "base"
PACKAGES = ["?essential", "?priority(required)", "apt", "ca-certificates", "netbase", "tzdata"]
NOT_NEEDED = ["doc", "info", "lintian", "locale", "man"]
KEPT = "/usr/share/doc/*/copyright"


def bring(engine: Engine) -> str:
    """The name of the base image, made at the first call."""
    inputs = digest([FOLDER / "Dockerfile", Path(__file__), *host_settings.certificates()])
    image = f"meterhouse-test/base:{inputs[:12]}"
    if not docker.exists(engine, image):
        make(engine, image, inputs)
    return image


def make(engine: Engine, image: str, inputs: str) -> None:
    """Fetch the packages, unpack them into an image, and run their scripts in it."""
    bootstrap = image.replace("/base:", "/bootstrap:")
    with tempfile.TemporaryDirectory() as work:
        root, packages = Path(work) / "root", Path(work) / "packages"
        say("base: fetching the packages")
        apt = debian.open_apt(Path(work) / "apt", [SUITE])
        archives = apt.download_closure(PACKAGES, packages)
        say(f"base: unpacking {len(archives)} packages")
        debian.unpack(archives, root, [f"./usr/share/{name}/*" for name in NOT_NEEDED])
        settle(root, apt)
        docker.import_root(engine, root, bootstrap)
        say("base: setting them up")
        docker.build(
            engine,
            image,
            dockerfile=(FOLDER / "Dockerfile").read_text(encoding="utf-8"),
            folder=FOLDER,
            contexts={"packages": packages},
            arguments={"BOOTSTRAP": bootstrap},
            inputs=inputs,
        )
    docker.output(engine, "image", "rm", bootstrap)


def settle(root: Path, apt: debian.Apt) -> None:
    """Give the system this machine's mirror and certificate authorities, and no documentation."""
    shutil.copy(apt.folder / "debian.sources", root / "etc/apt/sources.list.d/debian.sources")
    lines = [f"path-exclude /usr/share/{name}/*\n" for name in NOT_NEEDED]
    excluded = root / "etc/dpkg/dpkg.cfg.d/no-documentation"
    excluded.write_text("".join([*lines, f"path-include {KEPT}\n"]), encoding="utf-8")
    trusted = root / "usr/local/share/ca-certificates"
    trusted.mkdir(parents=True, exist_ok=True)
    for certificate in host_settings.certificates():
        shutil.copy(certificate, trusted)


def digest(files: Iterable[Path], *words: str) -> str:
    """The SHA-256 of the names and contents of files and of further words, in hexadecimal."""
    sha256 = hashlib.sha256()
    for file in files:
        sha256.update(
            f"{file.name}\0{file.stat().st_mode:o}\0".encode() + file.read_bytes() + b"\0"
        )
    for word in words:
        sha256.update(f"{word}\0".encode())
    return sha256.hexdigest()
