"""kafka/topics.tsv: what it declares and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.base.errors import ConfigurationError
from stack.provision import topics

WEEK_MS = 7 * 24 * 60 * 60 * 1000


def test_telemetry_has_six_partitions_and_a_week() -> None:
    assert topics.DeclaredTopic("telemetry_raw", 6, WEEK_MS) in topics.declared_topics()


def test_a_line_of_another_shape_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "topics.tsv"
    file.write_text("# name\nreadings six 1\n")
    monkeypatch.setattr(topics, "TOPICS_FILE", file)
    with pytest.raises(ConfigurationError, match="line 2"):
        topics.declared_topics()
