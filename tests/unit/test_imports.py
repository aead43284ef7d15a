"""A module has one name everywhere; only the customary short names of libraries are aliases."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator

from stack.base.root import PROJECT_ROOT

# As the libraries' own manuals import them.
CUSTOMARY = {
    ("numpy", "np"),
    ("pandas", "pd"),
    ("pyarrow", "pa"),
    ("pyarrow.compute", "pc"),
    ("pyarrow.parquet", "pq"),
    ("altair", "alt"),
    ("streamlit", "st"),
    ("hypothesis.strategies", "st"),
}


def aliases(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(What is imported, what it is called) for every import under another name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            package = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            for each in node.names:
                if each.asname:
                    yield package + each.name, each.asname


def test_imports_rename_nothing() -> None:
    found = {
        f"{name}: {imported} as {alias}"
        for name in subprocess.check_output(
            ["git", "ls-files", "*.py"], cwd=PROJECT_ROOT, text=True
        ).splitlines()
        for imported, alias in aliases(ast.parse((PROJECT_ROOT / name).read_text("utf-8")))
        if (imported, alias) not in CUSTOMARY
    }
    assert found == set()


def test_the_check_sees_an_alias_of_either_form() -> None:
    tree = ast.parse("import a.b as c\nfrom d import e as f, g\n")
    assert list(aliases(tree)) == [("a.b", "c"), ("d.e", "f")]
