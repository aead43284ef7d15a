"""What a query may still read is out of the reach of any setting."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stack.base.errors import ConfigurationError
from stack.base.settings import load_settings
from stack.maintenance import policy
from stack.maintenance.policy import policy_of
from stack.programs import trino


def configured(path: Path, name: str) -> str:
    found = re.search(rf"^{re.escape(name)}=(\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{path} does not set {name}"
    return found[1]


@pytest.mark.parametrize(
    ("setting", "hours"),
    [("MAINTENANCE_SNAPSHOT_HOURS", 11.9), ("MAINTENANCE_ORPHAN_HOURS", 47.0)],
)
def test_an_age_that_would_take_files_from_readers_is_refused(setting: str, hours: float) -> None:
    with pytest.raises(ConfigurationError, match=setting):
        policy_of(load_settings({setting: str(hours)}))


def test_the_settings_as_listed_are_accepted() -> None:
    found = policy_of(load_settings({}))
    assert (found.snapshot_hours, found.orphan_hours, found.file_mb) == (24, 72, 128)


@pytest.mark.parametrize("folder", ["catalog", "s3"])
def test_trino_refuses_lower_ages_too(folder: str) -> None:
    path = trino.ETC / folder / "iceberg.properties"
    assert configured(path, "iceberg.expire-snapshots.min-retention") == "12h"
    assert configured(path, "iceberg.remove-orphan-files.min-retention") == "48h"
    assert (policy.LEAST_SNAPSHOT_HOURS, policy.LEAST_ORPHAN_HOURS) == (12, 48)


def test_a_state_outlives_the_longest_query_twice() -> None:
    longest = configured(trino.ETC / "config.properties", "query.max-run-time")
    assert longest == f"{policy.LONGEST_QUERY_HOURS}h"
    assert policy.LEAST_SNAPSHOT_HOURS == 2 * policy.LONGEST_QUERY_HOURS
