"""The Maven lock: every line is whole, versions agree with the settings, hashes are checked."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from stack.base.errors import ConfigurationError
from stack.base.settings import load_settings
from stack.programs import maven


def test_the_lock_holds_the_versions_of_the_settings() -> None:
    names = {artifact.name for artifact in maven.locked_artifacts(load_settings({}))}
    assert {"kafka_2.13", "kafka-clients", "kafka-tools", "trino-server", "trino-cli"} <= names


def test_another_version_than_the_locked_one_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"kafka-clients 9\.9\.9"):
        maven.locked_artifacts(replace(load_settings({}), kafka_version="9.9.9"))


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.jar"
    file.write_bytes(b"good")
    good = hashlib.sha256(b"good").hexdigest()
    artifact = maven.Artifact("kafka", "g", "a", "1", "jar", "", good)
    maven.check_hash(artifact, file)
    file.write_bytes(b"bad")
    with pytest.raises(ConfigurationError, match=good):
        maven.check_hash(artifact, file)


def test_a_classifier_is_part_of_the_file_name() -> None:
    artifact = maven.parse_line("trino-cli\tio.trino:trino-cli:476:jar:executable\tabc")
    assert artifact.file_name == "trino-cli-476-executable.jar"
