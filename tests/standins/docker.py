"""Talk to the engine of the tests with its command-line client."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.standins.command import last_line
from tests.standins.engine import Engine, docker
from tests.standins.errors import BuildError

LABEL = "org.meterhouse.inputs"


def output(engine: Engine, *arguments: str) -> str:
    """What the client prints. Raises BuildError with its words unless it ends well."""
    result = subprocess.run(
        [*docker(engine), *arguments],
        env=engine.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise BuildError(f"docker {arguments[0]}", result.stderr or result.stdout)
    return result.stdout.strip()


def label_of(engine: Engine, image: str) -> str | None:
    """The digest of the inputs that an image was made of; None without the image or the label."""
    form = f'{{{{index .Config.Labels "{LABEL}"}}}}'
    try:
        return output(engine, "image", "inspect", "--format", form, image) or None
    except BuildError:
        return None


def exists(engine: Engine, image: str) -> bool:
    """Whether the engine has an image of this name."""
    return bool(output(engine, "image", "ls", "--quiet", image))


def build(
    engine: Engine,
    image: str,
    *,
    dockerfile: str,
    folder: Path,
    contexts: Mapping[str, Path],
    arguments: Mapping[str, str],
    inputs: str,
) -> None:
    """Build an image and label it with the digest of its inputs."""
    options = [f"--build-context={name}={path}" for name, path in contexts.items()]
    options += [f"--build-arg={name}={value}" for name, value in arguments.items()]
    options += [f"--label={LABEL}={inputs}", f"--tag={image}", "--progress=plain"]
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(dockerfile)
        file.flush()
        output(engine, "build", *options, f"--file={file.name}", str(folder))


def remove_replaced(engine: Engine) -> None:
    """Delete images that were made here and whose name a newer one has taken."""
    output(engine, "image", "prune", "--force", "--filter", f"label={LABEL}")


def import_root(engine: Engine, root: Path, image: str) -> None:
    """Make an image of the files below a folder."""
    with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as packing:
        command: Sequence[str] = [*docker(engine), "import", "-", image]
        result = subprocess.run(
            command,
            env=engine.environment(),
            stdin=packing.stdout,
            capture_output=True,
            text=True,
            check=False,
        )
    if packing.returncode or result.returncode:
        raise BuildError("docker import", last_line(result.stderr))
