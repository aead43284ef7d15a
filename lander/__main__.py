"""Start the lander; `python -m lander --help`."""

from __future__ import annotations

import gc
import logging
import os
import sys

# Read when Arrow is loaded, so it comes before the imports: keep freed memory for the next batch.
# Fetching it from the system again took a tenth of the lander's time.
os.putenv("MIMALLOC_PURGE_DELAY", "-1")
# NumPy's linear algebra is not used; its threads would spin for nothing.
os.putenv("OPENBLAS_NUM_THREADS", "1")
# Modules are for ever: looking for cycles among them while they load is wasted.
gc.disable()

from stack.base import caller  # noqa: E402

# PyIceberg and others read variables of their own when they are loaded.
caller.clear()

from lander.command import main  # noqa: E402

if __name__ == "__main__":
    exit_code = main(sys.argv[1:])
    logging.shutdown()
    # A thread that hangs on a service that is away must not keep the process.
    os._exit(exit_code)
