"""Start Kafka's page alone: python -m explorer.kafka_alone [--address ADDRESS] [--port PORT]."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from stack.base import caller
from stack.base.errors import ConfigurationError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings, load_settings

FOLDER = PROJECT_ROOT / "explorer"
SCRIPT = FOLDER / "kafka_page.py"


def command(words: Sequence[str], settings: Settings) -> list[str]:
    """Streamlit's command line; the rest of its settings is in .streamlit/config.toml."""
    parser = argparse.ArgumentParser(prog="python -m explorer.kafka_alone", description=__doc__)
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--port", type=int, default=settings.kafka_ui_port, help="port to listen on (KAFKA_UI_PORT)"
    )
    given = parser.parse_args(words)
    server = ["--server.address", given.address, "--server.port", str(given.port)]
    return [sys.executable, "-m", "streamlit", "run", str(SCRIPT), *server]


def main(words: Sequence[str]) -> int:
    """Become Streamlit, in the folder of its configuration."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    line = command(words, settings)
    environment = os.environ | {
        "METERHOUSE_ENV": str(settings.env_file),
        # A script's own folder comes first on Python's path; the packages are found from here.
        "PYTHONPATH": str(PROJECT_ROOT),
        "PYTHONSAFEPATH": "1",
    }
    os.chdir(FOLDER)
    os.execve(line[0], line, environment)  # noqa: S606 (becomes the server)


if __name__ == "__main__":
    caller.clear()
    sys.exit(main(sys.argv[1:]))
