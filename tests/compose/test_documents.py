"""The commands of the deployment guides run as written, on the running stack."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings

BLOCK = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)
PAGES = ("EC2-DEPLOYMENT.md", "docs/compose.md")


def blocks() -> list[str]:
    """The pages' blocks that need neither root nor a cloud; those that do are console blocks."""
    texts = [(PROJECT_ROOT / page).read_text(encoding="utf-8") for page in PAGES]
    return [block for text in texts for block in BLOCK.findall(text)]


def test_the_pages_have_commands_to_run() -> None:
    assert len(blocks()) >= 8


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.splitlines()[0][:60])
def test_a_block_of_a_guide_works_as_written(settings: Settings, block: str) -> None:
    # The guides speak of .env; this stack's settings are elsewhere.
    environment = os.environ | {"COMPOSE_ENV_FILES": str(settings.env_file)}
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
