"""What maintenance leaves alone, and the limits that protect readers."""

from __future__ import annotations

from dataclasses import dataclass

from stack.base.errors import ConfigurationError
from stack.base.settings import Settings

# No query runs longer (query.max-run-time in trino/etc/config.properties).
LONGEST_QUERY_HOURS = 6
# What a query may still read is never expired, with as much again to spare.
LEAST_SNAPSHOT_HOURS = 12
# After the hours for which the lander keeps a snapshot an hour (lander/table.py), and the hour.
LEAST_ORPHAN_HOURS = 48


@dataclass(frozen=True)
class Policy:
    """What maintenance leaves alone.

    snapshot_hours: every table state that was current within this time stays readable.
    orphan_hours: files that no snapshot refers to stay for this time after they were written.
    file_mb: files below this size are put together, to about this size.
    min_files: a partition with fewer small files, and fewer delete files, is left alone.
    margin_seconds: what may pass between a look at the snapshots and the statement that expires.
    """

    snapshot_hours: float
    orphan_hours: float
    file_mb: int
    min_files: int = 5
    margin_seconds: float = 60


def policy_of(settings: Settings) -> Policy:
    """The policy of the settings. Raises ConfigurationError where readers would lose files."""
    hours = {
        "MAINTENANCE_SNAPSHOT_HOURS": (settings.maintenance_snapshot_hours, LEAST_SNAPSHOT_HOURS),
        "MAINTENANCE_ORPHAN_HOURS": (settings.maintenance_orphan_hours, LEAST_ORPHAN_HOURS),
    }
    for name, (found, least) in hours.items():
        if found < least:
            raise ConfigurationError(
                f"{name} of at least {least}: queries may run for {LONGEST_QUERY_HOURS} hours",
                f"{found:g}",
                "change it in .env or the environment",
            )
    if settings.maintenance_file_mb < 1:
        raise ConfigurationError(
            "MAINTENANCE_FILE_MB of at least 1",
            str(settings.maintenance_file_mb),
            "change it in .env or the environment",
        )
    return Policy(
        settings.maintenance_snapshot_hours,
        settings.maintenance_orphan_hours,
        settings.maintenance_file_mb,
    )
