"""Read telemetry from Kafka and print it. See --help."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    # Started as a plain file, Python looks for modules beside it and not above.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    sys.exit(importlib.import_module("simulator.launch").run("simulator.consume"))
