"""Start the lander; `python -m lander --help`."""

from __future__ import annotations

import logging
import os
import sys

# Read when Arrow is loaded, so it comes before the imports: keep freed memory for the next batch.
# Fetching it from the system again took a tenth of the lander's time.
os.putenv("MIMALLOC_PURGE_DELAY", "-1")

from lander.command import main

if __name__ == "__main__":
    exit_code = main(sys.argv[1:])
    logging.shutdown()
    # A thread that hangs on a service that is away must not keep the process.
    os._exit(exit_code)
