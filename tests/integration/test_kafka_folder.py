"""Kafka's data folder, formatted by Kafka's own tool, in a folder beside the stack's."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from stack.base.settings import load_settings
from stack.programs import kafka
from stack.programs.paths import paths_of

# Natively alone: in containers the image formats it.
pytestmark = pytest.mark.same_in_both_modes


def test_a_cluster_id_may_begin_with_a_hyphen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings()
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=62 << 122))
    paths = replace(paths_of(settings), state=tmp_path)

    kafka.prepare(settings, paths)

    written = paths.data("kafka") / "logs" / "meta.properties"
    assert "cluster.id=-AAAAAAAAAAAAAAAAAAAAA" in written.read_text(encoding="utf-8").splitlines()
