"""A container engine of the tests' own, and stand-ins for the official images in it.

Usage: python -m tests.standins start|build|env|settings|stop
  start     have an engine that answers; exit code 3 says that this machine cannot run one, and why
  build     make every image whose parts have changed since it was made
  env       print the lines that point bash's docker at the engine
  settings  have the stack of METERHOUSE_ENV build MinIO's image of what is compiled already
  stop      end the engine and its containers

Where a registry is at hand this folder is not needed: without it tests/suites/compose.sh uses the
engine of the machine.
"""

from __future__ import annotations

import os
import sys

from stack.base import env_file
from stack.base.errors import MeterhouseError
from stack.base.settings import env_file_path
from tests.standins import engine, images
from tests.standins.errors import BuildError, NoEngineError

EXIT_NO_ENGINE = 3
EXIT_MISUSE = 2


def main(words: list[str]) -> int:
    """Run one command; the exit code."""
    match words:
        case ["start"]:
            engine.start()
        case ["stop"]:
            engine.stop()
        case ["build"]:
            images.build_all(engine.in_use())
        case ["env"]:
            print(engine.in_use().shell_lines())
        case ["settings"]:
            env_file.change(env_file_path(os.environ), "COMPOSE_FILE", images.COMPOSE_FILES)
        case _:
            print(__doc__, file=sys.stderr)
            return EXIT_MISUSE
    return 0


def run(words: list[str]) -> int:
    """The exit code, with what went wrong said on stderr."""
    try:
        return main(words)
    except (NoEngineError, OSError) as error:
        print(f"no container engine: {error}", file=sys.stderr)
        return EXIT_NO_ENGINE if words == ["start"] else 1
    except (BuildError, MeterhouseError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
