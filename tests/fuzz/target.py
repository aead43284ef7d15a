"""One process of the fuzzer: changes batches towards code that none has reached, and judges them.

Started by tests.fuzz with libFuzzer's own options. A batch that is judged wrong ends it, and is
left as a file.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["lander", "tests.fuzz"]):
    from tests.fuzz.batches import judge

if __name__ == "__main__":
    atheris.Setup(sys.argv, judge)
    atheris.Fuzz()
