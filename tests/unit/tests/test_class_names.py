"""A class's name says which one it is: no two modules of the product share one."""

from __future__ import annotations

import ast
from collections import defaultdict

from stack.base.root import PROJECT_ROOT

PACKAGES = ("stack", "lander", "simulator", "explorer")


def test_no_two_classes_have_one_name() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for package in PACKAGES:
        for path in (PROJECT_ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    found[node.name].add(str(path.relative_to(PROJECT_ROOT)))
    assert len(found) > 100
    assert {name: sorted(files) for name, files in found.items() if len(files) > 1} == {}
