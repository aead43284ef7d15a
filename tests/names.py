"""Names that a utility may give to meters and customers, and that a program may misread."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import pytest

LONGEST = 64
# Those that mean most to a page, an address or SQL: the others, too, only where all tests run.
WORST = {"quotes", "path", "html", "markdown", "address", "longest"}


def odd_names() -> Mapping[str, str]:
    """Names by what is odd about them; no other call gives the same ones."""
    tag = f"{uuid.uuid4().int % 1_000_000:06}"
    names = {
        "umlaut": f"Zähler {tag}/Ost",
        "quotes": f"O'Brien\"--;{tag}",
        "like": f"a%b_c{tag}",
        "path": f"meter/../{tag}",
        "wide": f"計器１{tag}",
        "lower": f"m-1-{tag}",
        "upper": f"M-1-{tag}",
        "longest": f"{tag:x>{LONGEST}}",
        "html": f"<b>&amp;{tag}",
        "jinja": f"{{{{ x }}}}{tag}",
        "markdown": f"**x** [a](http://b) $y$ {tag}",
        "arrow": f"a -> b -- {tag}",
        "icon": f":material_home: :smile: {tag}",
        "formula": f"=1+{tag}",
        "backslash": f"C:\\new\\{tag}",
        "composed": f"\u00e9{tag}",
        "decomposed": f"e\u0301{tag}",
        "spaces": f"a  b{tag}",
        "space": f"a b{tag}",
        "address": f"x?y=1&z=#+%20{tag}",
        "zeros": f"00{tag}",
        "number": f"{int(tag)}.0",
        "emoji": f"\U0001f50c{tag}",
        "words": f"null {tag}",
    }
    assert max(map(len, names.values())) == LONGEST
    assert len(set(names.values())) == len(names)
    return names


def each_of(names: Mapping[str, str]) -> pytest.MarkDecorator:
    """Run a test for each name, called `odd`."""
    marks = {odd: [pytest.mark.thorough] * (odd not in WORST) for odd in names}
    return pytest.mark.parametrize("odd", [pytest.param(odd, marks=marks[odd]) for odd in names])


def pattern_of(name: str) -> str:
    """A pattern for log lines that finds this name and no other text."""
    return "".join(
        each if each.isalnum() or not each.isascii() else f"\\u{ord(each):04x}" for each in name
    )
