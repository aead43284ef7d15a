"""Start the explorer: python -m explorer [--address ADDRESS] [--port PORT] [--catalog NAME]."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from zoneinfo import ZoneInfo

from stack.base import caller
from stack.base.errors import ConfigurationError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import load_settings

FOLDER = PROJECT_ROOT / "explorer"


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line; the port is EXPLORER_PORT unless it names another."""
    parser = argparse.ArgumentParser(prog="python -m explorer", description=__doc__)
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, help="port to listen on (EXPLORER_PORT)")
    parser.add_argument("--catalog", default="iceberg", help="catalog of Trino to read")
    return parser.parse_args(words)


def command(address: str, port: int, catalog: str) -> list[str]:
    """Streamlit's words; the rest of its settings is in .streamlit/config.toml."""
    server = ["--server.address", address, "--server.port", str(port)]
    return ["run", str(FOLDER / "app.py"), *server, "--", "--catalog", catalog]


def main(words: Sequence[str]) -> int:
    """Be Streamlit in the folder of its configuration, warm for the first visitor."""
    given = arguments(words)
    try:
        settings = load_settings()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    os.environ["METERHOUSE_ENV"] = str(settings.env_file)
    os.chdir(FOLDER)
    # Streamlit reads its configuration from this folder as soon as it is imported.
    cli = import_module("streamlit.web.cli")
    import_module("explorer.app")
    lakehouse = import_module("explorer.lakehouse").Lakehouse(settings, given.catalog)
    now = datetime.now(ZoneInfo(settings.meter_time_zone))
    import_module("explorer.warm_up").warm_up(lakehouse, now)
    port = given.port or settings.explorer_port
    cli.main(command(given.address, port, given.catalog), prog_name="streamlit")
    return 0


if __name__ == "__main__":
    caller.clear()
    sys.exit(main(sys.argv[1:]))
